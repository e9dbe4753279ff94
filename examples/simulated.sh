# Functions for examples that run on a simulated Novita. Sourced by demo.sh and day-two.sh.

work=$(mktemp -d)
simulator_pid=
cleanup() {
  [ -z "$simulator_pid" ] || kill "$simulator_pid" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi
say() { printf '\n%s# %s%s\n' "$bold" "$*" "$plain"; }
# shown COMMAND...: print a command as a user types it.
shown() {
  local line='' word
  for word in "$@"; do
    case $word in
      *[!A-Za-z0-9_./:=-]*) line+=" '$word'" ;;
      *) line+=" $word" ;;
    esac
  done
  printf '\n%s$%s%s\n' "$bold" "$line" "$plain"
}
run() {
  shown "$@"
  "$@"
}
# fails CODE COMMAND...: a command that must exit with CODE.
fails() {
  local expected=$1 code=0
  shift
  shown "$@"
  "$@" || code=$?
  printf '(exit code %s)\n' "$code"
  [ "$code" = "$expected" ]
}
# start_simulator OPTION...: start a simulated Novita, and export its address and a key.
start_simulator() {
  local log=$work/simulator.log
  printf '$ reconciler simulator --port 0%s &\n' "${*:+ $*}"
  reconciler simulator --port 0 --quiet "$@" >"$log" 2>&1 &
  simulator_pid=$!
  for _ in $(seq 100); do
    grep -q NOVITA_BASE_URL "$log" && break
    kill -0 "$simulator_pid" 2>/dev/null || { cat "$log"; exit 1; }
    read -rt 0.1 <> <(:) || true
  done
  cat "$log"
  eval "$(grep -o 'export NOVITA_[A-Z_]*=.*' "$log")"
}
