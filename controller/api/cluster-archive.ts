import { z } from 'zod';
import { hookSchema } from './hooks.ts';
import { labelSelectorSchema } from './label-selector.ts';
import { retentionSchema } from './retention.ts';
import { durationSchema } from './time.ts';

/**
 * The spec of a ClusterArchive (kubekeeper.dev/v1alpha1), and until that is served the file of `--config`. Names are those of Velero and
 * k8up where they have one. A field that is left out has the default of its flag.
 */

export const API_VERSION = 'kubekeeper.dev/v1alpha1';
export const CLUSTER_ARCHIVE = 'ClusterArchive';

const NAMES = z.array(z.string().min(1));

const remoteSchema = z.strictObject({
  url: z.string().min(1).describe('https://HOST/PATH/{cluster}-{namespace}.git'),
  credentialsPath: z.string().min(1).optional().describe('File with a token, or directory with the keys of a Secret'),
  credentialsSecretRef: z
    .strictObject({ namespace: z.string().min(1), name: z.string().min(1) })
    .optional()
    .describe('Secret of the cluster with the same keys'),
  caFile: z.string().min(1).optional().describe("Certificates that the remote's own must come from, in PEM"),
  forge: z.enum(['auto', 'github', 'gitea', 'none']).optional(),
  clusterName: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, ".", "_" and "-"')
    .optional()
    .describe('What stands for {cluster}'),
});

const secretsSchema = z.strictObject({
  policy: z.enum(['fingerprint', 'encrypt', 'omit']).optional(),
  ageRecipients: NAMES.optional().describe('Who can decrypt with policy encrypt'),
});

const volumesSchema = z.strictObject({
  default: z
    .enum(['Snapshot', 'None'])
    .optional()
    .describe('Of claims that say nothing themselves; Snapshot when left out'),
  labelSelector: labelSelectorSchema.optional().describe('Of claims: the default is for these, the others are None'),
});

const dataSchema = z.strictObject({
  volumes: volumesSchema.optional(),
  volumeSnapshotClassName: z
    .string()
    .min(1)
    .optional()
    .describe("For its driver; other drivers' claims take their default"),
  volumeSnapshotClassNames: z.record(z.string(), z.string().min(1)).optional().describe('By driver'),
  minimumInterval: durationSchema
    .optional()
    .describe('Commits in between point at the snapshots before them; 15m when left out'),
  maximumInterval: durationSchema.optional().describe('Snapshots are cut after so long even if no object changed'),
  timeout: durationSchema.optional().describe('How long a snapshot may take to be ready; 10m when left out'),
  groupSnapshots: z.enum(['auto', 'never']).optional().describe('auto: where the driver serves them'),
  hooks: z.strictObject({ resources: z.array(hookSchema).optional() }).optional(),
  retention: retentionSchema.optional().describe('All is kept when left out'),
  hold: z.boolean().optional().describe('Nothing is pruned'),
});

export const clusterArchiveSchema = z.strictObject({
  includedNamespaces: NAMES.optional().describe('Globs; _cluster is the cluster-scoped objects'),
  excludedNamespaces: NAMES.optional(),
  includedResources: NAMES.optional().describe('As kubectl spells them: deployments.apps'),
  excludedResources: NAMES.optional(),
  labelSelector: labelSelectorSchema.optional().describe('Only objects with these labels'),
  includeOwned: z.boolean().optional().describe('Also what other archived objects make again'),
  rulesFile: z.string().min(1).optional().describe('YAML file with rules of your own'),
  window: durationSchema.optional().describe("Silence that ends a commit's window"),
  maxWindow: durationSchema.optional().describe('Age at which a window ends in any case'),
  secrets: secretsSchema.optional(),
  remote: remoteSchema.optional(),
  data: dataSchema.optional().describe('Volume data beside each commit; none when left out'),
});

export type ClusterArchiveSpec = z.infer<typeof clusterArchiveSchema>;
export type DataSpec = z.infer<typeof dataSchema>;
