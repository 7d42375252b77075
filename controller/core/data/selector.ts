import type { LabelSelector } from '../../api/label-selector.ts';

/** Label selectors of a spec. */

export type Labels = Readonly<Record<string, string>>;

/** A test of labels; an empty selector lets everything pass. What has no such label is NotIn, as for the API server. */
export function compileLabelSelector({
  matchLabels = {},
  matchExpressions = [],
}: LabelSelector): (labels: Labels) => boolean {
  const wanted = Object.entries(matchLabels);
  return (labels) =>
    wanted.every(([key, value]) => labelAt(labels, key) === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const found = labelAt(labels, key);
      const isIn = found !== undefined && values.includes(found);
      switch (operator) {
        case 'In':
          return isIn;
        case 'NotIn':
          return !isIn;
        case 'Exists':
          return found !== undefined;
        case 'DoesNotExist':
          return found === undefined;
        default:
          return operator satisfies never;
      }
    });
}

function labelAt(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

const SETS = { In: 'in', NotIn: 'notin' };

/** As kubectl and the API take it in a query; '' for an empty one. */
export function renderLabelSelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    return operator === 'DoesNotExist' ? `!${key}` : `${key} ${SETS[operator]} (${values.join(',')})`;
  });
  return [...labels, ...expressions].join(',');
}
