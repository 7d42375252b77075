import { base64Text, configurationText, drawFrom } from '../world/text.ts';

/** A cluster as the bench of restores wants it: thirty ConfigMaps and Secrets for each Deployment and Service. */

export interface ShopNamespace {
  readonly name: string;
  readonly objects: readonly object[];
}

const BYTES = 1500;
const PER_NAMESPACE = 100;

/** `namespaces` times a hundred objects, the Namespace itself not counted. Always the same. */
export function shopWorld(namespaces: number): readonly ShopNamespace[] {
  return Array.from({ length: namespaces }, (_, number) => {
    const name = `shop-${String(number).padStart(2, '0')}`;
    return { name, objects: Array.from({ length: PER_NAMESPACE }, (__, index) => shopObject(name, number, index)) };
  });
}

function shopObject(namespace: string, number: number, index: number): object {
  const draw = drawFrom(number * 1000 + index);
  const app = `app-${Math.floor(index / 32)}`;
  const metadata = { name: `item-${index}`, namespace, labels: { app } };
  const place = index % 32;
  if (place === 30) {
    const template = {
      metadata: { labels: { app } },
      // Without a node nothing would be scheduled, and pods would only load the server.
      spec: {
        containers: [
          { name: 'main', image: `registry.example.com/${app}:1.${number}`, env: [{ name: 'A', value: 'b' }] },
        ],
      },
    };
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: { replicas: 0, selector: { matchLabels: { app } }, template },
    };
  }
  if (place === 31)
    return { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { app }, ports: [{ port: 80 }] } };
  if (place % 2 === 0)
    return {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: { 'app.properties': configurationText(draw, BYTES) },
    };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    type: 'Opaque',
    data: { password: base64Text(draw, 32), keystore: base64Text(draw, BYTES) },
  };
}
