/** A map that forgets: beyond `limit`, what was used longest ago goes first. */
export interface Recent<Value> {
  get(name: string): Value | undefined;
  set(name: string, value: Value): void;
}

export function createRecent<Value>(limit: number): Recent<Value> {
  // A Map keeps the order of insertion, so what was put in last is the most recent.
  const values = new Map<string, Value>();
  const set = (name: string, value: Value): void => {
    values.delete(name);
    values.set(name, value);
    if (values.size <= limit) return;
    for (const oldest of values.keys()) {
      values.delete(oldest);
      return;
    }
  };
  const get = (name: string): Value | undefined => {
    const value = values.get(name);
    if (value !== undefined) set(name, value);
    return value;
  };
  return { get, set };
}
