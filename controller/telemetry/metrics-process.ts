import type { Metric } from './metric.ts';

/** The disk and the process itself. */
export const PROCESS_METRICS = {
  freeBytes: {
    name: 'kubekeeper_data_directory_free_bytes',
    type: 'gauge',
    labels: [],
    help: 'Space that is left for us in the file system of the data directory.',
    act: 'Enlarge the volume before it is full.',
  },
  sizeBytes: {
    name: 'kubekeeper_data_directory_size_bytes',
    type: 'gauge',
    labels: [],
    help: 'Size of the file system of the data directory.',
    act: 'Nothing.',
  },
  loopLag: {
    name: 'kubekeeper_event_loop_lag_seconds',
    type: 'histogram',
    labels: [],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    help: 'How late a timer came that fires twice a second: while it is late nothing else is answered.',
    act: 'Often above 0.5 s: too little CPU.',
  },
  cpu: {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    labels: [],
    help: 'CPU time that the process used.',
    act: 'Near the limit for long: raise it.',
  },
  startTime: {
    name: 'process_start_time_seconds',
    type: 'gauge',
    labels: [],
    help: 'When the process began.',
    act: 'Young again and again: it crashes; see the log of the one before (`kubectl logs --previous`).',
  },
  residentBytes: {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    labels: [],
    help: 'Memory of the process.',
    act: 'Near the limit: raise it; it grows with the number of objects.',
  },
  heapBytes: {
    name: 'nodejs_heap_size_used_bytes',
    type: 'gauge',
    labels: [],
    help: "JavaScript's part of the memory.",
    act: 'Grows for days: a leak, please report it.',
  },
  openFiles: {
    name: 'process_open_fds',
    type: 'gauge',
    labels: [],
    help: 'Open files and connections; 0 where the system does not tell.',
    act: 'Near process_max_fds: raise the limit.',
  },
  mostFiles: {
    name: 'process_max_fds',
    type: 'gauge',
    labels: [],
    help: 'How many of them may be open; 0 where the system does not tell or sets no limit.',
    act: 'Nothing.',
  },
} as const satisfies Readonly<Record<string, Metric>>;
