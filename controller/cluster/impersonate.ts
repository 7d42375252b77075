import { KeeperError } from '../errors.ts';

/** The headers by which the API server takes a request for somebody else's. None without a user. */
export function impersonate(
  user: string | undefined,
  groups: readonly string[],
): Readonly<Record<string, string | string[]>> {
  if (user === undefined) {
    if (groups.length === 0) return {};
    throw unusable('groups can be impersonated only with a user', '--as');
  }
  const named = groups.map((group) => encode(group, '--as-group'));
  return { 'impersonate-user': encode(user, '--as'), ...(named.length === 0 ? {} : { 'impersonate-group': named }) };
}

/** What the server says to the first request of who may not be somebody else is about that, and not about what was asked. */
export function asImpersonation(error: unknown, user: string | undefined): unknown {
  const isAbout = error instanceof KeeperError && error.code === 'RESOURCE_FORBIDDEN';
  if (user === undefined || !isAbout || !/cannot impersonate/.test(error.message)) return error;
  const why = /\((403: .*)\)/.exec(error.message)?.[1] ?? '403';
  return new KeeperError(
    `You may not act as "${user}" (${why}); nothing was changed, ask for the verb impersonate on this user and its groups, or leave out --as`,
    { kind: 'stalled', code: 'RESOURCE_FORBIDDEN', details: error.details, cause: error },
  );
}

/** A header would lose what is around a name, and so name another one. */
function encode(name: string, flag: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (name === '' || name !== name.trim() || /[\u0000-\u001f\u007f]/.test(name)) {
    throw unusable(`${JSON.stringify(name)} is no name of a user or group`, flag);
  }
  return Buffer.from(name, 'utf8').toString('latin1');
}

function unusable(problem: string, flag: string): KeeperError {
  return new KeeperError(`Cannot ask as somebody else: ${problem}; nothing was contacted, correct ${flag}`, {
    kind: 'invalid-input',
    code: 'USAGE_INVALID',
  });
}
