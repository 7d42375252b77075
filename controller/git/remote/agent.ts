/** How we call ourselves in the protocol (gitprotocol-capabilities, "agent") and in HTTP; hosts look for `git/`. */
export const AGENT = 'git/kubekeeper';
