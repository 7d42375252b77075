/** Who made a change, as far as its commit knows. */

export interface Actor {
  readonly name: string;
  /** audit: the API server said so · manager: the field manager in the object itself · unknown: nobody can be named. */
  readonly grade: 'audit' | 'manager' | 'unknown';
}

/** Of the `Actor` trailers: 'kubectl-edit (manager)', 'unknown'. */
export function parseActors(trailers: readonly { readonly key: string; readonly value: string }[]): readonly Actor[] {
  return trailers.filter(({ key }) => key === 'Actor').map(({ value }) => parseActor(value));
}

function parseActor(value: string): Actor {
  const [, name, grade] = /^(.+) \((audit|manager)\)$/s.exec(value) ?? [];
  if (name === undefined || grade === undefined) return { name: value === 'unknown' ? '' : value, grade: 'unknown' };
  return { name, grade: grade === 'audit' ? 'audit' : 'manager' };
}

/** 'kubectl-edit (manager)'; `areSure`: all of them had a part in what is told. */
export function renderActors(actors: readonly Actor[], areSure: boolean): string {
  const names = actors.map(({ name, grade }) => (grade === 'unknown' ? name || 'unknown' : `${name} (${grade})`));
  if (names.length === 0) return '-';
  return names.length > 1 && !areSure ? `one of ${names.join(', ')}` : names.join(', ');
}
