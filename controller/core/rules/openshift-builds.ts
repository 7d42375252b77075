import { neverRules } from './build-rules.ts';
import type { Condition, Rule } from './rule.ts';

const buildConfigs = ['buildconfigs.build.openshift.io'];
const streams = ['imagestreams.image.openshift.io'];
const templates = ['templates.template.openshift.io'];

/** DeploymentConfigs, builds, images and templates of OpenShift. */
export const openshiftBuildsRules: readonly Rule[] = [
  {
    id: 'trigger-last-image',
    resources: ['deploymentconfigs.apps.openshift.io'],
    pointer: '/spec/triggers/*/imageChangeParams/lastTriggeredImage',
    verdict: 'strip',
    reason: 'The image that the trigger saw last',
  },
  {
    id: 'trigger-container-image',
    resources: ['deploymentconfigs.apps.openshift.io'],
    pointer: '/spec/template/spec/containers/*/image',
    verdict: 'hold',
    reason: 'The trigger puts the image there',
    when: { fact: 'image-set-by-trigger' },
  },
  {
    id: 'build-trigger-last-image',
    resources: buildConfigs,
    pointer: '/spec/triggers/*/imageChange/lastTriggeredImageID',
    verdict: 'strip',
    reason: 'The image that the trigger saw last',
  },
  ...['github', 'generic', 'gitlab', 'bitbucket'].map(
    (kind): Rule => ({
      id: `build-${kind}-secret`,
      resources: buildConfigs,
      pointer: `/spec/triggers/*/${kind}/secret`,
      verdict: 'keep',
      reason: 'Whoever knows it can start builds',
      secret: true,
    }),
  ),
  {
    id: 'build-push-secret',
    resources: buildConfigs,
    pointer: '/spec/output/pushSecret',
    verdict: 'restore-only',
    reason: 'The generated pull secret of the builder account has another name',
    when: { parts: { '/name': ['*-dockercfg-?????'] } },
  },
  ...['sourceStrategy', 'dockerStrategy', 'customStrategy'].map(
    (strategy): Rule => ({
      id: `build-${strategy.replace('Strategy', '')}-pull-secret`,
      resources: buildConfigs,
      pointer: `/spec/strategy/${strategy}/pullSecret`,
      verdict: 'restore-only',
      reason: 'The generated pull secret of the builder account has another name',
      when: { parts: { '/name': ['*-dockercfg-?????'] } },
    }),
  ),
  {
    id: 'stream-tag-generation',
    resources: streams,
    pointer: '/spec/tags/*/generation',
    verdict: 'strip',
    reason: 'A counter of imports',
  },
  ...Object.entries({ 'stream-tag-name': 'tag', 'stream-tag-digest': 'items/0/image' }).map(
    ([id, field]): Rule => ({
      id,
      resources: streams,
      pointer: `/status/tags/*/${field}`,
      verdict: 'record',
      reason: 'Which image a tag stood for; without it the same bits cannot be brought back',
    }),
  ),
  ...neverRules({ 'never-builds': ['builds.build.openshift.io'] }, 'The history of a BuildConfig'),
  ...neverRules(
    {
      'never-images': ['images.image.openshift.io', 'imagesignatures.image.openshift.io'],
      'never-image-views': [
        'imagestreamtags.image.openshift.io',
        'imagetags.image.openshift.io',
        'imagestreamimages.image.openshift.io',
        'imagestreamimports.image.openshift.io',
        'imagestreammappings.image.openshift.io',
      ],
    },
    'A view of the ImageStreams or of the registry',
  ),
  ...templateRules(),
];

/** Templates are data: the objects inside are not rewritten, but what is secret in them stays secret. */
function templateRules(): readonly Rule[] {
  const inside = (id: string, pointer: string, levels: number, kind: string): Rule => {
    const when: Condition = { around: { levels, parts: { '/kind': [kind] } } };
    return {
      id,
      resources: templates,
      pointer: `/objects/*${pointer}`,
      verdict: 'keep',
      reason: `A secret value of the ${kind} inside`,
      secret: true,
      when,
    };
  };
  return [
    inside('template-secret-values', '/data/*', 2, 'Secret'),
    inside('template-secret-string-values', '/stringData/*', 2, 'Secret'),
    inside('template-route-key', '/spec/tls/key', 3, 'Route'),
    inside('template-oauth-client-secret', '/secret', 1, 'OAuthClient'),
    ...['github', 'generic', 'gitlab', 'bitbucket'].map((kind) =>
      inside(`template-build-${kind}-secret`, `/spec/triggers/*/${kind}/secret`, 5, 'BuildConfig'),
    ),
    {
      id: 'template-objects',
      resources: templates,
      pointer: '/objects',
      verdict: 'keep',
      reason: 'Data, not objects of the cluster',
    },
  ];
}
