import { arrayAt, objectAt, stringAt } from '../../object.ts';
import { at, type Draft, isOtherCluster, isSamePlace, leave, stringsAt } from './draft.ts';

/** Addresses and ports that a cluster gives out: in the same place the old ones are tried, else new ones are given out. */

export function prepareService(draft: Draft): void {
  prepareAddresses(draft);
  for (const [index, port] of arrayAt(objectAt(draft.object, 'spec'), 'ports').entries()) {
    const name = stringAt(port, 'name') ?? String(at(draft, `/spec/ports/${index}/port`) ?? index);
    preparePort(draft, `/spec/ports/${index}/nodePort`, `nodePort of port ${name}`);
  }
  preparePort(draft, '/spec/healthCheckNodePort', 'healthCheckNodePort');
  const isBalanced = stringsAt(draft, '/spec/type') === 'LoadBalancer';
  if (isBalanced && !isSamePlace(draft.context) && leave(draft, '/spec/externalIPs')) {
    draft.notes.push('externalIPs are left out: a load balancer gives out others');
  }
  const asked = stringsAt(draft, '/spec/loadBalancerIP');
  if (isBalanced && asked !== undefined && asked !== '' && !isSamePlace(draft.context)) {
    draft.notes.push(`asks for the load balancer address ${asked}, which may be taken`);
  }
}

function prepareAddresses(draft: Draft): void {
  const address = stringsAt(draft, '/spec/clusterIP') ?? at(draft, '/spec/clusterIPs/0');
  if (isOtherCluster(draft.context) && at(draft, '/spec/ipFamilies') !== undefined) {
    draft.fallbacks.push({
      pointers: ['/spec/ipFamilies', '/spec/ipFamilyPolicy'],
      note: 'the address families are those of this cluster',
    });
  }
  if (address === 'None' || address === undefined || address === '') return;
  const pointers = ['/spec/clusterIP', '/spec/clusterIPs'].filter((pointer) => at(draft, pointer) !== undefined);
  if (isSamePlace(draft.context)) {
    draft.fallbacks.push({ pointers, note: `clusterIP is given out anew: ${String(address)} is taken` });
    return;
  }
  for (const pointer of pointers) leave(draft, pointer);
  draft.notes.push('clusterIP is given out anew');
}

function preparePort(draft: Draft, pointer: string, what: string): void {
  const port = at(draft, pointer);
  if (port === undefined || port === 0) return;
  if (isSamePlace(draft.context) || draft.context.requested.has(pointer)) {
    draft.fallbacks.push({ pointers: [pointer], note: `${what} is given out anew: ${String(port)} is taken` });
    return;
  }
  leave(draft, pointer);
  draft.notes.push(`${what} is given out anew`);
}
