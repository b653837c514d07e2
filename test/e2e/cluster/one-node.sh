#!/usr/bin/env bash
# A real one-node Kubernetes cluster on a bare Debian machine, without Docker, inside a network namespace of its own.
#   one-node.sh up STATE BIN      start it; BIN holds the binaries, STATE everything that it writes
#   one-node.sh run STATE CMD...  run CMD inside the cluster's network namespace, with KUBECONFIG set
#   one-node.sh load STATE TAR    import a docker archive into the node's containerd
#   one-node.sh down STATE        stop it, also after a crash; STATE can be removed then
# Needs root and the packages of test/e2e/packages.ts.
set -euo pipefail
verb=$1
state=$(mkdir -p "$2" && cd "$2" && pwd)
shift 2
netns=basekeeper-node node=node-a address=10.250.0.1
service_cidr=10.96.0.0/16 service_ip=10.96.0.1 pod_cidr=10.244.0.0/24
etcd_url=http://127.0.0.1:23790
daemons=(kubelet proxy scheduler controller-manager apiserver etcd containerd) # in the order of stopping
socket=$state/containerd/containerd.sock
PATIENCE=240 # seconds that anything may take to come up on a machine that is busy with other things

inside() { nsenter --net=/run/netns/$netns "$@"; } # not `ip netns exec`: that hides /sys/fs/cgroup
images() { ctr -a "$socket" -n k8s.io "$@"; }

start() { # NAME CMD...
  local name=$1
  shift
  nsenter --net=/run/netns/$netns setsid "$@" > "$state/log/$name.log" 2>&1 < /dev/null & # a function would leave its shell's id
  echo $! > "$state/$name.pid"
}
# A process id may have been given to somebody else since a crash: ours mention the state directory.
alive() { [ -f "$state/$1.pid" ] && grep -qF "$state/" "/proc/$(cat "$state/$1.pid")/cmdline" 2> /dev/null; }

wait_for() { # SECONDS CMD...
  local deadline=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || return 1
    sleep 0.3
  done
}

given_up() { # WHY
  local daemon
  echo "$1 after $PATIENCE s; logs are in $state/log"
  for daemon in "${daemons[@]}"; do
    [ ! -f "$state/$daemon.pid" ] || alive "$daemon" || { echo "$daemon is not running:" && tail -n 3 "$state/log/$daemon.log"; }
  done
  exit 1
} >&2

sign() { # NAME SUBJECT ALTNAMES
  openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "$2" 2> /dev/null
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out "$1.crt" \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth' "$3") 2> /dev/null
}
certificates() {
  cd "$state/pki"
  openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=ca 2> /dev/null
  sign apiserver /CN=kube-apiserver "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:localhost,IP:127.0.0.1,IP:$address,IP:$service_ip"
  sign apiserver-kubelet /O=system:masters/CN=apiserver DNS:apiserver
  sign admin /O=system:masters/CN=admin DNS:admin
  sign controller-manager /CN=system:kube-controller-manager DNS:controller-manager
  sign scheduler /CN=system:kube-scheduler DNS:scheduler
  sign proxy /CN=system:kube-proxy DNS:proxy
  sign kubelet "/O=system:nodes/CN=system:node:$node" "DNS:$node,IP:$address"
  openssl genrsa -out sa.key 2048 2> /dev/null
  openssl rsa -in sa.key -pubout -out sa.pub 2> /dev/null
  cd "$state"
}

kubeconfig() { # USER
  cat > "$state/$1.kubeconfig" << K
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://$address:6443", certificate-authority: $state/pki/ca.crt}}]
users: [{name: u, user: {client-certificate: $state/pki/$1.crt, client-key: $state/pki/$1.key}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
K
}

pause_image() { # the process that holds a pod's namespaces
  local d
  d=$(mktemp -d)
  cat > "$d/pause.c" << 'C'
#include <signal.h>
#include <unistd.h>
static void stop(int s) { _exit(0); }
int main() { signal(SIGTERM, stop); signal(SIGINT, stop); for (;;) pause(); }
C
  gcc -static -O2 -o "$d/pause" "$d/pause.c"
  printf 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n' > "$d/Dockerfile"
  buildah bud -q -t localhost/pause:1 "$d" > /dev/null
  buildah push -q localhost/pause:1 "docker-archive:$state/pause.tar:localhost/pause:1"
  rm -rf "$d"
}

configuration() {
  cat > cni/10-e2e.conflist << C
{"cniVersion": "0.4.0", "name": "basekeeper-e2e", "plugins": [
  {"type": "bridge", "bridge": "e2e0", "isGateway": true, "ipMasq": false,
   "ipam": {"type": "host-local", "dataDir": "$state/cni/addresses", "ranges": [[{"subnet": "$pod_cidr"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
C
  # restrict_oom_score_adj: without CAP_SYS_RESOURCE runc cannot lower oom_score_adj and every sandbox fails.
  cat > containerd.toml << C
version = 2
root = "$state/containerd/root"
state = "$state/containerd/state"
[grpc]
  address = "$socket"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$state/cni"
C
  cat > kubelet.yaml << K
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $state/pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $state/pki/kubelet.crt
tlsPrivateKeyFile: $state/pki/kubelet.key
containerRuntimeEndpoint: unix://$socket
podLogsDir: $state/log/pods
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
address: $address
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
evictionHard: {memory.available: 50Mi, nodefs.available: "1%", imagefs.available: "1%"}
imageGCHighThresholdPercent: 100
K
  # What the agent's and the hook's service accounts really ask for: the least-privilege test compares it with their roles.
  cat > audit.yaml << A
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
  - {level: None, userGroups: ["system:serviceaccounts:kube-system"]}
  - {level: Metadata, userGroups: ["system:serviceaccounts"]}
  - {level: None}
A
}

control_plane() { # BIN
  start etcd "$1/etcd" --data-dir "$state/etcd" --unsafe-no-fsync --listen-client-urls $etcd_url --advertise-client-urls $etcd_url \
    --listen-peer-urls http://127.0.0.1:23800 --initial-advertise-peer-urls http://127.0.0.1:23800 --initial-cluster default=http://127.0.0.1:23800
  start apiserver "$1/kube-apiserver" --etcd-servers=$etcd_url --secure-port=6443 --bind-address=$address --advertise-address=$address \
    --tls-cert-file="$state/pki/apiserver.crt" --tls-private-key-file="$state/pki/apiserver.key" --client-ca-file="$state/pki/ca.crt" \
    --kubelet-client-certificate="$state/pki/apiserver-kubelet.crt" --kubelet-client-key="$state/pki/apiserver-kubelet.key" \
    --kubelet-certificate-authority="$state/pki/ca.crt" --kubelet-preferred-address-types=InternalIP --service-cluster-ip-range=$service_cidr \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$state/pki/sa.pub" \
    --service-account-signing-key-file="$state/pki/sa.key" --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
    --allow-privileged=true --audit-policy-file="$state/audit.yaml" --audit-log-path="$state/log/audit.jsonl" --audit-log-mode=blocking
  wait_for $PATIENCE inside "$1/kubectl" --kubeconfig "$state/admin.kubeconfig" get --raw /readyz || given_up "the API server is not ready"
  start controller-manager "$1/kube-controller-manager" --kubeconfig="$state/controller-manager.kubeconfig" --leader-elect=false \
    --service-account-private-key-file="$state/pki/sa.key" --root-ca-file="$state/pki/ca.crt" --use-service-account-credentials=true \
    --cluster-signing-cert-file="$state/pki/ca.crt" --cluster-signing-key-file="$state/pki/ca.key"
  start scheduler "$1/kube-scheduler" --kubeconfig="$state/scheduler.kubeconfig" --leader-elect=false
}

node_daemons() { # BIN
  start containerd containerd --config "$state/containerd.toml"
  wait_for $PATIENCE images images import "$state/pause.tar" || given_up "containerd takes no image"
  start kubelet "$1/kubelet" --config="$state/kubelet.yaml" --kubeconfig="$state/kubelet.kubeconfig" --root-dir="$state/kubelet" \
    --hostname-override=$node --node-ip=$address
  start proxy "$1/kube-proxy" --kubeconfig="$state/proxy.kubeconfig" --proxy-mode=iptables --cluster-cidr=$pod_cidr --hostname-override=$node \
    --conntrack-max-per-core=0
}

up() { # BIN
  local bin daemon
  bin=$(cd "$1" && pwd)
  mkdir -p "$state"/{pki,log,etcd,kubelet,containerd,cni}
  [ -e /var/lib/kubelet ] || touch "$state/var-lib-kubelet-is-ours" # device plugins' sockets are there, whatever --root-dir says
  ip netns add $netns
  inside ip link set lo up
  inside ip address replace $address/32 dev lo
  inside ip route replace default dev lo
  certificates
  for daemon in admin controller-manager scheduler kubelet proxy; do kubeconfig $daemon; done
  configuration
  pause_image
  control_plane "$bin"
  node_daemons "$bin"
  local kubectl=(inside "$bin/kubectl" --kubeconfig "$state/admin.kubeconfig")
  # A pod cannot be made before the controller manager has made the service account.
  wait_for $PATIENCE "${kubectl[@]}" get serviceaccount default || given_up "there is no service account"
  wait_for $PATIENCE "${kubectl[@]}" wait --for=condition=Ready node/$node --timeout=1s || given_up "the node is not ready"
}

stopped() { for daemon in "${daemons[@]}"; do ! alive "$daemon" || return 1; done; }

# The pods' network namespaces, as the specifications of their sandboxes and the results of CNI name them.
namespaces() {
  local container
  { grep -rhoE '/run/netns/cni-[0-9a-f-]+' "$state/containerd/state" --include=config.json 2> /dev/null || true; }
  for container in "$state"/containerd/*/io.containerd.grpc.v1.cri/sandboxes/*; do
    { grep -hoE '/run/netns/cni-[0-9a-f-]+' /var/lib/cni/results/*-"${container##*/}"-* 2> /dev/null || true; }
  done
}

# Nothing of it is to be used again, so nothing is asked to end in good order.
down() {
  local daemon container name left
  left=$(namespaces) # first: a shim that ends takes the specification with it, and the namespace stays
  if alive kubelet; then kill -KILL "$(cat "$state/kubelet.pid")"; fi # first: it would start again what is killed below
  { timeout 20 ctr -a "$socket" -n k8s.io tasks ls -q 2> /dev/null || true; } | while read -r container; do
    timeout 5 ctr -a "$socket" -n k8s.io tasks kill -s KILL "$container" 2> /dev/null || true
  done
  for daemon in "${daemons[@]}"; do if alive "$daemon"; then kill -KILL "$(cat "$state/$daemon.pid")" || true; fi; done
  wait_for 20 stopped
  { pgrep -f "containerd-shim.* -address $state/" || true; } | while read -r container; do kill -KILL "$container" 2> /dev/null || true; done
  left=$(printf '%s\n' "$left" "$(namespaces)")
  for container in "$state"/containerd/state/io.containerd.grpc.v1.cri/sandboxes/*; do rm -f /var/lib/cni/results/*-"${container##*/}"-*; done
  sort -u <<< "$left" | while read -r name; do ip netns delete "${name##*/}" 2> /dev/null || true; done
  if [ -e "$state/var-lib-kubelet-is-ours" ]; then rm -rf /var/lib/kubelet; fi
  awk -v prefix="$state/" 'index($2, prefix) == 1 { print $2 }' /proc/mounts | sort -r | while read -r name; do umount -l "$name" || true; done
  find /var/log/containers -lname "$state/*" -delete 2> /dev/null || true
  # Empty groups only: another kubelet's groups are in use and stay.
  find /sys/fs/cgroup -depth -type d -path '*/kubepods*' -exec rmdir {} + 2> /dev/null || true
  ip netns delete $netns 2> /dev/null || true
}

case $verb in
  up) up "$1" ;;
  down) down ;;
  load) images images import "$1" ;;
  run) inside env KUBECONFIG="$state/admin.kubeconfig" "$@" ;;
  *)
    echo "usage: one-node.sh up|run|load|down STATE ..." >&2
    exit 2
    ;;
esac
