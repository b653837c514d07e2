/** The one part of client-node that is used. A static name is what lets the bundler leave out the rest: a dynamic import of the package itself takes all of it along (19 MB instead of 4). */
export { KubeConfig } from '@kubernetes/client-node';
