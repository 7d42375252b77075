/** Who signs every commit; who changed the cluster stands in the trailers, with its grade. */
export const AUTHOR = { name: 'kubekeeper', email: 'kubekeeper@kubekeeper.dev' };
