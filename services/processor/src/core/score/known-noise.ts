import type { Event } from '@eyrie/schemas';
import { isInContainer } from './facts.ts';

/** Programs of the host that read accounts and PAM files as their work, by the path their package puts them at. */
const LOGIN_PROGRAMS =
  /^\/(?:usr\/)?(?:s?bin|lib(?:exec)?)\/(?:(?:x86_64|aarch64)-linux-gnu\/)?(?:systemd\/)?(?:gdm-session-worker|lightdm|sddm-helper|pkexec|i3lock|swaylock|systemd-userwork|systemd-executor|sshd(?:-session)?|login|cron|crond|sudo|su|polkit-agent-helper-1|accounts-daemon|unix_chkpwd)$/;
const LOGIN_RULES = new Set(['Read sensitive file untrusted', 'Read sensitive file trusted after startup']);

/** Controllers whose work is to call the API server: cause of most alerts of that rule. Image, not process: the cluster's owner chose it. */
const CONTROLLERS =
  /(?:^|\/)(?:cert-manager-\w+|velero|external-dns|cluster-autoscaler|metrics-server|kube-state-metrics|argocd|argo-cd|flux-cli|source-controller|kustomize-controller|helm-controller|prometheus-operator|ingress-nginx\/controller|csi-\w+|coredns|patroni|spilo[\w-]*|postgres-operator)$/;

/** The shipped noise pack: an exact benign cause known from many clusters. Lowers the score, lifts no floor. */
export function knownNoise(event: Event, image: string | undefined): string | undefined {
  const { rule, process_name: name, process_executable: executable = '', command_line: command = '' } = event;
  if (event.container_id === 'host') {
    // The container runtime runs itself from memory so that no container can overwrite it.
    const isRuntime = name === '.runc' || name === 'runc' || name === 'exe';
    if (isRuntime && /^memfd:runc(?:_cloned:\/proc\/self\/exe)?$/.test(executable) && RUNTIME_COMMAND.test(command))
      return 'container_runtime';
    if (LOGIN_RULES.has(rule) && LOGIN_PROGRAMS.test(executable)) return 'login_program';
    return undefined;
  }
  if (!isInContainer(event)) return undefined;
  if (rule === 'Contact K8S API Server From Container' && image !== undefined && CONTROLLERS.test(image))
    return 'known_controller';
  return undefined;
}

const RUNTIME_COMMAND = /^(?:exe init$|\.?runc (?:init$|--version$|--root |--log ))/;
