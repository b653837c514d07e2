#!/usr/bin/env bash
# Builds etcd and Kubernetes binaries from the Go module proxy: KUBE_VERSION=v1.34.4 ETCD_VERSION=v3.6.13 build-kube.sh DIRECTORY COMPONENT...
# scripts/lib/kube-assets.ts calls it with the pinned versions. Each binary appears by a rename, so what is there is complete.
# k8s.io/kubernetes cannot be `go install`ed (its go.mod has replace directives), so a module with replaces of its own requires it.
set -euo pipefail
: "${KUBE_VERSION:?such as v1.34.4}" "${ETCD_VERSION:?such as v3.6.13}"
out=$(mkdir -p "$1" && cd "$1" && pwd)
shift
work=$(mktemp -d)
trap 'rm -rf "$work" "$out"/*.building' EXIT
# The build runs in the background, because bash does not look at a trap before a foreground command ends.
stop() {
  kill $(jobs -p) 2> /dev/null || true
  exit "$1"
}
trap 'stop 129' HUP
trap 'stop 130' INT
trap 'stop 143' TERM
export CGO_ENABLED=0 GOFLAGS=-mod=mod

tidy() { # `-e`: packages that only Kubernetes' own tests import cannot be resolved, and need not be
  go mod tidy -e > tidy.log 2>&1 || true
}

build() { # NAME PACKAGE LDFLAGS
  local started=$SECONDS
  go build -trimpath -ldflags="-s -w $3" -o "$out/$1.building" "$2" &
  if ! wait $!; then
    tail -n 20 tidy.log >&2
    exit 1
  fi
  mv "$out/$1.building" "$out/$1"
  echo "$1 built in $((SECONDS - started)) s"
}

kube_module() {
  mkdir -p "$work/kube" && cd "$work/kube"
  local staging=v0.${KUBE_VERSION#v1.} source component
  source=$(go mod download -json "k8s.io/kubernetes@$KUBE_VERSION" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  {
    echo "module kubebinaries"
    grep -E '^go ' "$source/go.mod"
    echo "require k8s.io/kubernetes $KUBE_VERSION"
    echo "replace ("
    grep -oE '^\s*k8s.io/[a-z0-9-]+ => ./staging' "$source/go.mod" | awk -v v="$staging" '{print "  " $1 " => " $1 " " v}' | sort -u
    echo ")"
  } > go.mod
  {
    echo '//go:build tools'
    echo 'package tools'
    for component in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do
      echo "import _ \"k8s.io/kubernetes/cmd/$component\""
    done
  } > tools.go
  tidy
}

etcd_module() {
  mkdir -p "$work/etcd" && cd "$work/etcd"
  printf 'module etcdbinary\ngo 1.24.0\nrequire go.etcd.io/etcd/server/v3 %s\n' "$ETCD_VERSION" > go.mod
  printf '//go:build tools\npackage tools\nimport _ "go.etcd.io/etcd/server/v3"\n' > tools.go
  tidy
}

# Without the version stamp, kubectl and Helm cannot parse what the server says it is.
minor=${KUBE_VERSION#v1.}
minor=${minor%%.*}
stamp=""
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  stamp+=" -X $package.gitVersion=$KUBE_VERSION -X $package.gitMajor=1 -X $package.gitMinor=$minor"
  stamp+=" -X $package.gitTreeState=clean -X $package.gitCommit=unknown -X $package.buildDate=1970-01-01T00:00:00Z"
done

for component in "$@"; do
  [ ! -x "$out/$component" ] || continue
  case $component in
    etcd)
      etcd_module
      build etcd go.etcd.io/etcd/server/v3 ""
      ;;
    *)
      [ -d "$work/kube" ] || kube_module
      cd "$work/kube"
      build "$component" "k8s.io/kubernetes/cmd/$component" "$stamp"
      ;;
  esac
done
