import { admissionFixtures } from './admission.ts';
import { configurationFixtures } from './configuration.ts';
import { apiServiceFixtures, customFixtures, definitionFixtures } from './custom.ts';
import { deviceFixtures } from './devices.ts';
import type { Fixture } from './fixture.ts';
import { machineryFixtures } from './machinery.ts';
import { namespaceFixtures } from './namespaces.ts';
import { networkingFixtures, serviceRangeFixtures } from './networking.ts';
import { rbacFixtures } from './rbac.ts';
import { scalingFixtures } from './scaling.ts';
import { serviceFixtures } from './services.ts';
import { storageFixtures } from './storage.ts';
import { workloadFixtures } from './workloads.ts';

/** At least one object of every resource that Kubernetes stores by default, in an order in which they can be created. */
export const builtInFixtures: readonly Fixture[] = [
  ...namespaceFixtures,
  ...definitionFixtures,
  ...machineryFixtures,
  ...configurationFixtures,
  ...rbacFixtures,
  ...storageFixtures,
  ...serviceFixtures,
  ...networkingFixtures,
  ...deviceFixtures,
  ...workloadFixtures,
  ...scalingFixtures,
  ...admissionFixtures,
  ...customFixtures,
  ...serviceRangeFixtures,
  ...apiServiceFixtures,
];
