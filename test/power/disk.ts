/**
 * A disk that keeps only what was synced: the files of a process in memory, as POSIX promises them and not as a kind file system
 * happens to treat them. Data is safe after fsync of the file, a name after fsync of its directory, nothing else.
 */

export interface FileNode {
  readonly kind: 'file';
  readonly number: number;
  content: Buffer;
  /** As of the last fsync; undefined before the first. */
  synced: Buffer | undefined;
  mode: number;
  modified: number;
  links: number;
}

/** A change of names that a power cut may or may not undo; a rename is one change. */
type NameChange = readonly (readonly [name: string, node: Node | undefined])[];

export interface DirectoryNode {
  readonly kind: 'directory';
  readonly number: number;
  readonly names: Map<string, Node>;
  /** As of the last fsync. */
  readonly synced: Map<string, Node>;
  /** Since then, in order. */
  readonly unsynced: NameChange[];
  modified: number;
}

export type Node = FileNode | DirectoryNode;

export type OperationKind =
  | 'create'
  | 'write'
  | 'truncate'
  | 'sync file'
  | 'sync directory'
  | 'rename'
  | 'link'
  | 'unlink'
  | 'mkdir'
  | 'rmdir'
  | 'utimes';

/** An operation that changes the disk, about to happen. */
export interface Operation {
  readonly kind: OperationKind;
  readonly path: string;
}

export interface DiskOptions {
  /** Called before each operation; what it throws is what the operation fails with. */
  readonly before?: (operation: Operation) => void;
  /** A sync that only says that it was done: shows that a test can fail. */
  readonly isForgotten?: (operation: Operation) => boolean;
}

let lastNumber = 0;

export class Disk {
  readonly root: DirectoryNode;
  options: DiskOptions;

  constructor(options: DiskOptions = {}, root: DirectoryNode = makeDirectory()) {
    this.options = options;
    this.root = root;
  }

  find(path: string): Node | undefined {
    let node: Node | undefined = this.root;
    for (const part of partsOf(path)) {
      if (node?.kind !== 'directory') return undefined;
      node = node.names.get(part);
    }
    return node;
  }

  get(path: string, syscall: string): Node {
    const node = this.find(path);
    if (node !== undefined) return node;
    throw failure(this.#isBelowFile(path) ? 'ENOTDIR' : 'ENOENT', syscall, path);
  }

  directory(path: string, syscall: string): DirectoryNode {
    const node = this.get(path, syscall);
    if (node.kind === 'directory') return node;
    throw failure('ENOTDIR', syscall, path);
  }

  file(path: string, syscall: string): FileNode {
    const node = this.get(path, syscall);
    if (node.kind === 'file') return node;
    throw failure('EISDIR', syscall, path);
  }

  create(path: string, mode: number): FileNode {
    const { parent, name } = this.#place(path, 'open');
    this.options.before?.({ kind: 'create', path });
    const node: FileNode = {
      kind: 'file',
      number: ++lastNumber,
      content: Buffer.alloc(0),
      synced: undefined,
      mode,
      modified: Date.now(),
      links: 1,
    };
    change(parent, [[name, node]]);
    return node;
  }

  write(node: FileNode, path: string, bytes: Uint8Array, position: number): void {
    this.options.before?.({ kind: 'write', path });
    const content = Buffer.alloc(Math.max(node.content.length, position + bytes.length));
    node.content.copy(content);
    content.set(bytes, position);
    node.content = content;
    node.modified = Date.now();
  }

  truncate(node: FileNode, path: string, length: number): void {
    this.options.before?.({ kind: 'truncate', path });
    const content = Buffer.alloc(length);
    node.content.copy(content);
    node.content = content;
  }

  sync(node: Node, path: string): void {
    const operation: Operation = { kind: node.kind === 'file' ? 'sync file' : 'sync directory', path };
    this.options.before?.(operation);
    if (this.options.isForgotten?.(operation) === true) return;
    if (node.kind === 'file') {
      node.synced = node.content;
      return;
    }
    node.synced.clear();
    for (const [name, child] of node.names) node.synced.set(name, child);
    node.unsynced.length = 0;
  }

  rename(from: string, to: string): void {
    const node = this.get(from, 'rename');
    const [source, target] = [this.#place(from, 'rename'), this.#place(to, 'rename')];
    const old = target.parent.names.get(target.name);
    if (old?.kind === 'directory' && old.names.size > 0) throw failure('ENOTEMPTY', 'rename', to);
    if (old === node) return;
    this.options.before?.({ kind: 'rename', path: to });
    if (old?.kind === 'file') old.links--;
    if (source.parent === target.parent) {
      change(source.parent, [
        [source.name, undefined],
        [target.name, node],
      ]);
      return;
    }
    change(target.parent, [[target.name, node]]);
    change(source.parent, [[source.name, undefined]]);
  }

  link(from: string, to: string): void {
    const node = this.file(from, 'link');
    const { parent, name } = this.#place(to, 'link');
    if (parent.names.has(name)) throw failure('EEXIST', 'link', to);
    this.options.before?.({ kind: 'link', path: to });
    node.links++;
    change(parent, [[name, node]]);
  }

  unlink(path: string): void {
    const node = this.file(path, 'unlink');
    const { parent, name } = this.#place(path, 'unlink');
    this.options.before?.({ kind: 'unlink', path });
    node.links--;
    change(parent, [[name, undefined]]);
  }

  mkdir(path: string): void {
    const { parent, name } = this.#place(path, 'mkdir');
    if (parent.names.has(name)) throw failure('EEXIST', 'mkdir', path);
    this.options.before?.({ kind: 'mkdir', path });
    change(parent, [[name, makeDirectory()]]);
  }

  rmdir(path: string): void {
    const node = this.directory(path, 'rmdir');
    if (node.names.size > 0) throw failure('ENOTEMPTY', 'rmdir', path);
    const { parent, name } = this.#place(path, 'rmdir');
    this.options.before?.({ kind: 'rmdir', path });
    change(parent, [[name, undefined]]);
  }

  utimes(path: string, modified: number): void {
    const node = this.get(path, 'utime');
    this.options.before?.({ kind: 'utimes', path });
    node.modified = modified;
  }

  #place(path: string, syscall: string): { parent: DirectoryNode; name: string } {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) throw failure('EEXIST', syscall, path);
    return { parent: this.directory(`/${parts.join('/')}`, syscall), name };
  }

  #isBelowFile(path: string): boolean {
    let node: Node | undefined = this.root;
    for (const part of partsOf(path)) {
      if (node === undefined) return false;
      if (node.kind === 'file') return true;
      node = node.names.get(part);
    }
    return false;
  }
}

export function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

export function makeDirectory(): DirectoryNode {
  return {
    kind: 'directory',
    number: ++lastNumber,
    names: new Map(),
    synced: new Map(),
    unsynced: [],
    modified: Date.now(),
  };
}

function change(directory: DirectoryNode, names: NameChange): void {
  apply(directory.names, names);
  directory.unsynced.push(names);
  directory.modified = Date.now();
}

export function apply(names: Map<string, Node>, changes: NameChange): void {
  for (const [name, node] of changes) {
    if (node === undefined) names.delete(name);
    else names.set(name, node);
  }
}

/** An error as the system gives it. */
export function failure(code: string, syscall: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${syscall} '${path}'`), { code, syscall, path });
}
