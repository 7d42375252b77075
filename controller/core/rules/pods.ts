import { annotationRules, kebab } from './build-rules.ts';
import type { Condition, FieldTests, Rule } from './rule.ts';

const pods = ['pods'];
const tokenVolume: FieldTests = { '/name': ['kube-api-access-?????', 'default-token-?????'] };
const ended = ['Succeeded', 'Failed'];
const containerLists = ['containers', 'initContainers'];
const byScc: Condition = { annotations: ['openshift.io/scc'] };

/** Pods that nothing makes again. */
export const podsRules: readonly Rule[] = [
  {
    id: 'mirror-pod',
    resources: pods,
    pointer: '',
    verdict: 'never',
    reason: 'The kubelet makes it from a file of the node',
    when: { annotations: ['kubernetes.io/config.mirror'] },
  },
  {
    id: 'pod-finished',
    resources: pods,
    pointer: '',
    verdict: 'restore-only',
    reason: 'A finished pod would run again',
    when: { fields: { '/status/phase': ended } },
  },
  {
    id: 'pod-phase',
    resources: pods,
    pointer: '/status/phase',
    verdict: 'keep',
    reason: 'Tells that the pod has finished; the rest of the status goes',
    when: { value: ended },
    evenWithin: true,
    since: 'rules 2',
  },
  ...Object.entries({
    nodeName: 'The scheduler chose the node',
    priority: 'Computed from the PriorityClass',
    serviceAccount: 'A copy of serviceAccountName',
    ephemeralContainers: 'Cannot be created with a pod',
    overhead: 'Computed from the RuntimeClass',
  }).map(
    ([field, reason]): Rule => ({
      id: `pod-${kebab(field)}`,
      resources: pods,
      pointer: `/spec/${field}`,
      verdict: 'strip',
      reason,
    }),
  ),
  {
    id: 'pod-token-volume',
    resources: pods,
    pointer: '/spec/volumes/*',
    verdict: 'strip',
    reason: 'Admission adds the token volume',
    when: { parts: tokenVolume },
  },
  ...containerLists.map(
    (list): Rule => ({
      id: `pod-token-mount-${kebab(list)}`,
      resources: pods,
      pointer: `/spec/${list}/*/volumeMounts/*`,
      verdict: 'strip',
      reason: 'Admission adds the mount of the token volume',
      when: { parts: tokenVolume },
    }),
  ),
  {
    id: 'pod-default-tolerations',
    resources: pods,
    pointer: '/spec/tolerations/*',
    verdict: 'strip',
    reason: 'Admission adds it to every pod',
    when: {
      parts: {
        '/key': ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'],
        '/operator': ['Exists'],
        '/effect': ['NoExecute'],
        '/tolerationSeconds': ['300'],
      },
    },
  },
  {
    id: 'pod-openshift-node-selector',
    resources: pods,
    pointer: '/spec/nodeSelector',
    verdict: 'restore-only',
    reason: "OpenShift puts the project's selector there",
    when: byScc,
  },
  ...['seLinuxOptions', 'fsGroup'].map(
    (field): Rule => ({
      id: `pod-openshift-${field.toLowerCase()}`,
      resources: pods,
      pointer: `/spec/securityContext/${field}`,
      verdict: 'restore-only',
      reason: "OpenShift puts the namespace's SELinux level and group there",
      when: byScc,
    }),
  ),
  ...containerLists.map(
    (list): Rule => ({
      id: `pod-openshift-user-${kebab(list)}`,
      resources: pods,
      pointer: `/spec/${list}/*/securityContext/runAsUser`,
      verdict: 'restore-only',
      reason: "OpenShift puts a user of the namespace's range there",
      when: byScc,
    }),
  ),
  ...annotationRules(
    { 'pod-scc': 'openshift.io/scc', 'pod-scc-subject': 'security.openshift.io/validated-scc-subject-type' },
    { resources: pods, verdict: 'strip', reason: 'What admission noted on the pod' },
  ),
  ...annotationRules(
    {
      'calico-pod-ip': 'cni.projectcalico.org/podIP',
      'calico-pod-ips': 'cni.projectcalico.org/podIPs',
      'calico-container-id': 'cni.projectcalico.org/containerID',
      'multus-network-status': 'k8s.v1.cni.cncf.io/network-status',
      'multus-networks-status': 'k8s.v1.cni.cncf.io/networks-status',
      'ovn-annotations': 'k8s.ovn.org/*',
    },
    { verdict: 'strip', reason: 'What the network plug-in gave out' },
  ),
];
