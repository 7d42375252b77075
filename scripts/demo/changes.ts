/** The six changes of the demo, and what Git must hold after each. */

/** What proves a change: how a file of a repository differs after it. */
export interface Evidence {
  readonly repository: string;
  readonly path: string;
  /** Beginnings of lines that `git diff` shows: + or -, then the text without its indentation. */
  readonly lines: readonly string[];
  readonly isDeletion?: true;
}

export interface DemoChange {
  readonly title: string;
  /** Arguments of kubectl, one list for each command. */
  readonly commands: readonly (readonly string[])[];
  readonly evidence: readonly Evidence[];
}

export const demoChanges: readonly DemoChange[] = [
  {
    title: 'a new image',
    commands: [['set', 'image', 'deployment/web', 'web=registry.example.com/shop/web:1.5', '-n', 'shop-web']],
    evidence: [
      {
        repository: 'shop-web',
        path: 'deployments.apps/web.json',
        lines: ['-"image": "registry.example.com/shop/web:1.4"', '+"image": "registry.example.com/shop/web:1.5"'],
      },
    ],
  },
  {
    title: 'a replica count',
    commands: [['scale', 'deployment/cart', '--replicas=4', '-n', 'shop-web']],
    evidence: [
      { repository: 'shop-web', path: 'deployments.apps/cart.json', lines: ['-"replicas": 2', '+"replicas": 4'] },
    ],
  },
  {
    title: 'a key of a ConfigMap',
    commands: [
      ['patch', 'configmap/settings', '-n', 'shop-web', '--type=merge', '--patch-file=demo/changes/configmap-key.yaml'],
    ],
    evidence: [
      { repository: 'shop-web', path: 'configmaps/settings.json', lines: ['+"feature.express-checkout": "on"'] },
    ],
  },
  {
    title: 'a new kind of object, and one of it',
    commands: [
      ['apply', '--server-side', '-f', 'demo/changes/voucher-definition.yaml'],
      ['wait', '--for=condition=Established', 'crd/vouchers.shop.example.com'],
      ['apply', '--server-side', '-f', 'demo/changes/voucher.yaml'],
    ],
    evidence: [
      {
        repository: '_cluster',
        path: 'customresourcedefinitions.apiextensions.k8s.io/vouchers.shop.example.com.json',
        lines: ['+"kind": "Voucher"'],
      },
      {
        repository: 'shop-ops',
        path: 'vouchers.shop.example.com/spring.json',
        lines: ['+"serial": 9007199254740993'],
      },
    ],
  },
  {
    title: 'a deletion',
    commands: [['delete', 'cronjob/cache-warmer', '-n', 'shop-ops']],
    evidence: [
      {
        repository: 'shop-ops',
        path: 'cronjobs.batch/cache-warmer.json',
        lines: ['-"name": "cache-warmer"'],
        isDeletion: true,
      },
    ],
  },
  {
    title: 'a password',
    commands: [['apply', '--server-side', '-f', 'demo/changes/secret.yaml']],
    evidence: [{ repository: 'shop-db', path: 'secrets/postgres.json', lines: ['-"password":', '+"password":'] }],
  },
];

/** The values of the demo's Secrets: none of them may ever be in a repository. */
export const secretTexts: readonly string[] = ['demo-only-password', 'demo-only-session-key'];
