import { annotationsRules } from './annotations.ts';
import { apiMachineryRules } from './api-machinery.ts';
import { configurationRules } from './configuration.ts';
import { ecosystemRules } from './ecosystem.ts';
import { everyObjectRules } from './every-object.ts';
import { networkRules } from './network.ts';
import { neverArchivedRules } from './never.ts';
import { openshiftRules } from './openshift.ts';
import { openshiftBuildsRules } from './openshift-builds.ts';
import { podsRules } from './pods.ts';
import { rbacRules } from './rbac.ts';
import type { Rule } from './rule.ts';
import { secretsRules } from './secrets.ts';
import { storageRules } from './storage.ts';
import { workloadsRules } from './workloads.ts';

/** Raised with every change of a built-in rule, so that rewriting the files is a commit of its own. */
export const RULES_VERSION = 3;

export const BUILT_IN_RULES: readonly Rule[] = [
  ...everyObjectRules,
  ...annotationsRules,
  ...networkRules,
  ...workloadsRules,
  ...podsRules,
  ...storageRules,
  ...rbacRules,
  ...apiMachineryRules,
  ...configurationRules,
  ...secretsRules,
  ...openshiftRules,
  ...openshiftBuildsRules,
  ...ecosystemRules,
  ...neverArchivedRules,
];
