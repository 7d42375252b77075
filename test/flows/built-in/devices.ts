import type { JsonObject } from '../../../controller/core/object.ts';
import { type Fixture, inCluster, inNamespace } from './fixture.ts';

const group = 'resource.k8s.io';
const apiVersion = `${group}/v1`;

/** Dynamic resource allocation. */
export const deviceFixtures: readonly Fixture[] = [
  inCluster(`deviceclasses.${group}`, {
    apiVersion,
    kind: 'DeviceClass',
    metadata: { name: 'fixture-gpu' },
    spec: {
      selectors: [{ cel: { expression: 'device.driver == "gpu.example.com"' } }],
      config: [{ opaque: { driver: 'gpu.example.com', parameters: { sharing: {}, slices: 4 } } }],
      extendedResourceName: 'example.com/gpu',
    },
  }),
  inNamespace(`resourceclaims.${group}`, {
    apiVersion,
    kind: 'ResourceClaim',
    metadata: { name: 'two-of-a-kind' },
    spec: claimSpec(),
  }),
  inNamespace(`resourceclaimtemplates.${group}`, {
    apiVersion,
    kind: 'ResourceClaimTemplate',
    metadata: { name: 'two-of-a-kind' },
    spec: { metadata: { labels: { made: 'from-template' } }, spec: claimSpec() },
  }),
  inCluster(`resourceslices.${group}`, {
    apiVersion,
    kind: 'ResourceSlice',
    metadata: { name: 'fixture-slice' },
    spec: {
      driver: 'gpu.example.com',
      pool: { name: 'rack-7', generation: 3, resourceSliceCount: 1 },
      allNodes: true,
      devices: [
        {
          name: 'gpu-0',
          attributes: {
            model: { string: 'x1' },
            cores: { int: JSON.rawJSON('9223372036854775807') },
            healthy: { bool: true },
            driver: { version: '1.2.3' },
          },
          capacity: { memory: { value: '40Gi' } },
        },
      ],
    },
  }),
];

function claimSpec(): JsonObject {
  return {
    devices: {
      requests: [
        {
          name: 'pair',
          exactly: {
            deviceClassName: 'fixture-gpu',
            allocationMode: 'ExactCount',
            count: 2,
            selectors: [{ cel: { expression: 'device.attributes["gpu.example.com"].model == "x1"' } }],
          },
        },
        {
          name: 'either',
          firstAvailable: [
            { name: 'large', deviceClassName: 'fixture-gpu', allocationMode: 'All' },
            { name: 'small', deviceClassName: 'fixture-gpu' },
          ],
        },
      ],
      constraints: [{ requests: ['pair'], matchAttribute: 'gpu.example.com/model' }],
      config: [{ requests: ['pair'], opaque: { driver: 'gpu.example.com', parameters: { mode: 'shared' } } }],
    },
  };
}
