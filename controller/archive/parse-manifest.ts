import { parseJson } from '../core/json.ts';
import { isJsonObject, type KubeObject } from '../core/object.ts';

/** An archived object; undefined for a file that somebody committed and that is none. */
export function parseManifest(bytes: Buffer): KubeObject | undefined {
  try {
    const object = parseJson(bytes.toString());
    return isJsonObject(object) && isJsonObject(object['metadata']) ? (object as KubeObject) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
