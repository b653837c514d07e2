declare const __BASEKEEPER_VERSION__: string | undefined;

/** The version that the bundle was built from; `0.0.0-dev` when the sources run unbundled. */
export const VERSION: string = typeof __BASEKEEPER_VERSION__ === 'string' ? __BASEKEEPER_VERSION__ : '0.0.0-dev';
