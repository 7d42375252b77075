/** Text that looks like what people put into clusters: the same for the same seed, about as compressible as the real thing. */

const WORDS =
  'account address api audit backend batch billing broker cache cart catalog channel client cluster config connection console consumer customer database debug delivery deploy discount endpoint event export feature filter gateway handler health host import index ingress inventory invoice job journal key latency ledger level limit listener log mail memory message metric mode model monitor name network node notify offset order origin owner packet page partition password path payment pool port price process product profile proxy publish queue quota rate reader receipt record region registry release replica report request retry route rule sample schedule schema search secret segment server service session setting shard shipping signal socket source stage stock storage stream subject supply support switch tenant thread ticket timeout token topic trace track transfer update upload user vault vendor version volume voucher warehouse web window worker writer zone'.split(
    ' ',
  );
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Answers numbers from 0 up to, not including, `below`. */
export type Draw = (below: number) => number;

/** A small generator (splitmix32): Math.random cannot be seeded. */
export function drawFrom(seed: number): Draw {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % below;
  };
}

export function word(draw: Draw): string {
  return WORDS[draw(WORDS.length)] ?? 'word';
}

/** Lines of a configuration file, `length` characters in all. */
export function configurationText(draw: Draw, length: number): string {
  const lines: string[] = [];
  for (let size = 0; size < length; ) {
    const value = draw(3) === 0 ? String(draw(100_000)) : `${word(draw)}-${word(draw)}.${word(draw)}`;
    const line = `${word(draw)}.${word(draw)}: ${value}\n`;
    lines.push(line);
    size += line.length;
  }
  return lines.join('').slice(0, Math.max(0, length));
}

/** As random as a key or a certificate; `length` is rounded up to whole groups of four. */
export function base64Text(draw: Draw, length: number): string {
  const size = Math.ceil(Math.max(4, length) / 4) * 4;
  return Array.from({ length: size }, () => BASE64[draw(64)]).join('');
}
