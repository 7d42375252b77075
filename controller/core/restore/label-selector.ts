import { KeeperError } from '../../errors.ts';

/** Label selectors as kubectl takes them: =, ==, !=, in, notin, exists, !; a comma means and. */

export type Labels = Readonly<Record<string, string>>;
type Requirement = (labels: Labels) => boolean;

const KEY = String.raw`(?:[A-Za-z0-9.-]+\/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?`;
const VALUE = /^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;
const EXISTS = new RegExp(`^(!?)\\s*(${KEY})$`);
const EQUALS = new RegExp(`^(${KEY})\\s*(==|=|!=)\\s*(\\S*)$`);
const SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);

/** A test of labels; '' lets everything pass. Throws KeeperError USAGE_INVALID. */
export function compileSelector(selector: string): (labels: Labels) => boolean {
  if (selector.trim() === '') return () => true;
  const requirements = splitRequirements(selector).map((part) => compileRequirement(part.trim(), selector));
  return (labels) => requirements.every((fits) => fits(labels));
}

/** At commas outside of parentheses. */
function splitRequirements(selector: string): readonly string[] {
  return selector.split(/,(?![^()]*\))/);
}

function compileRequirement(part: string, selector: string): Requirement {
  const exists = EXISTS.exec(part);
  if (exists !== null) {
    const [, not, key = ''] = exists;
    return (labels) => Object.hasOwn(labels, key) === (not !== '!');
  }
  const equals = EQUALS.exec(part);
  if (equals !== null) {
    const [, key = '', operator, value = ''] = equals;
    return valueIn(key, [value], operator !== '!=', selector);
  }
  const set = SET.exec(part);
  if (set !== null) {
    const [, key = '', operator, values = ''] = set;
    const wanted = values.split(',').map((value) => value.trim());
    return valueIn(key, wanted, operator === 'in', selector);
  }
  throw unreadable(part, selector);
}

/** What has no such label is not among the values. */
function valueIn(key: string, values: readonly string[], wanted: boolean, selector: string): Requirement {
  const wrong = values.find((value) => !VALUE.test(value));
  if (wrong !== undefined) throw unreadable(wrong, selector);
  const set = new Set(values);
  return (labels) => (Object.hasOwn(labels, key) && set.has(labels[key] as string)) === wanted;
}

function unreadable(part: string, selector: string): KeeperError {
  return new KeeperError(
    `Cannot read ${JSON.stringify(part)} in the label selector ${JSON.stringify(selector)}; write for example "app=web,tier in (a,b),!legacy"`,
    { kind: 'invalid-input', code: 'USAGE_INVALID', details: { selector } },
  );
}
