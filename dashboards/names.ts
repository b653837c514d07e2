/** The two dashboards as they name each other. */
export const FLEET = { uid: 'basekeeper-fleet', title: 'Basekeeper / Fleet' } as const;
export const NODE = { uid: 'basekeeper-node', title: 'Basekeeper / Node' } as const;
