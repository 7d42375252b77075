/** Where the API server has the built-in kinds that are read by themselves. */

export const NAMESPACES = { group: '', version: 'v1', plural: 'namespaces', namespaced: false } as const;
export const PODS = { group: '', version: 'v1', plural: 'pods', namespaced: true } as const;
export const CLAIMS = { group: '', version: 'v1', plural: 'persistentvolumeclaims', namespaced: true } as const;
export const VOLUMES = { group: '', version: 'v1', plural: 'persistentvolumes', namespaced: false } as const;
export const EVENTS = { group: '', version: 'v1', plural: 'events', namespaced: true } as const;
