#!/usr/bin/env bash
# The pipeline as a script, for any CI. The workflows beside it call it for steps that have no action.
#
#   ./ci.sh plan     checks the files and saves the.plan, which is bound to this commit and which apply needs
#   ./ci.sh apply    applies exactly the.plan, and commits the inventory
#   ./ci.sh drift    exits with 2 if the account was changed outside of reconciler
#   ./ci.sh latest   checks out the inventory from the head of the branch
#   ./ci.sh keep     commits the inventory to the branch, also after an interrupted run
#
# RECONCILER_ENV chooses the environment of config.yaml; by default it is production.
set -euo pipefail
cd "$(dirname "$0")"

branch=${BRANCH:-main}
push_to=${PUSH_URL:-origin}              # if the checkout's own credentials cannot write
export RECONCILER_ENV=${RECONCILER_ENV:-production}
inventory=state/$RECONCILER_ENV.json
journal=$inventory.journal               # exists only after an interrupt, or while a create is unresolved

# If the checkout keeps no credentials, git authenticates to GitHub with GIT_TOKEN.
if [ -n "${GIT_TOKEN:-}" ]; then
  basic=$(printf 'x-access-token:%s' "$GIT_TOKEN" | base64 | tr -d '\n')
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.${GITHUB_SERVER_URL:-https://github.com}/.extraheader"
  export GIT_CONFIG_VALUE_0="Authorization: Basic $basic"
fi

# An earlier run may have committed the inventory after the commit of this run.
latest() {
  git fetch --quiet origin "$branch"
  local file
  for file in "$inventory" "$journal"; do
    if git cat-file -e "FETCH_HEAD:./$file" 2>/dev/null; then
      git checkout --quiet FETCH_HEAD -- "$file"
    fi
  done
}

# Run a command and forward the signals that end a job. bash alone would not forward them before it is killed.
run_with_signals() {
  "$@" &
  local child=$! code signalled
  trap 'signalled=yes; kill -TERM "$child" 2>/dev/null || true' INT TERM HUP
  while                                  # a signal ends the wait, but not the command
    signalled=
    wait "$child"
    code=$?
    [ -n "$signalled" ]
  do :; done
  trap - INT TERM HUP
  return "$code"
}

keep() {
  [ -f "$inventory" ] || [ -f "$journal" ] || return 0
  trap '' INT TERM HUP                   # saving the inventory comes before exiting
  reconciler state fold --lock-timeout 30s || echo "The journal could not be merged into the inventory; it stays as it is." >&2
  for _ in 1 2 3; do
    git fetch --quiet origin "$branch"
    git reset --quiet FETCH_HEAD         # to the head of the branch; the files stay as they are
    if [ -f "$inventory" ]; then git add "$inventory"; fi
    if [ -f "$journal" ]; then
      git add --force "$journal"
    else
      git rm --quiet --cached --ignore-unmatch -- "$journal"
    fi
    if git diff --cached --quiet; then
      echo "The inventory is already on $branch."
      return 0
    fi
    git -c user.name=reconciler -c user.email=reconciler@localhost \
      commit --quiet -m "Record what was applied [skip ci]"
    if git push --quiet "$push_to" "HEAD:$branch"; then
      echo "Committed the inventory to $branch."
      return 0
    fi
  done
  echo "Could not push the inventory to $branch." >&2
  return 1
}

plan() {
  latest
  reconciler validate
  local code=0
  reconciler plan --out the.plan --bind-commit --detailed-exitcode \
    --json-into plan.json --markdown-into plan.md --junit-into plan.xml || code=$?
  case $code in
    0) echo "There is nothing to apply." ;;
    2) echo "There are changes to apply. Pass the.plan to the apply job." ;;
    *) return "$code" ;;
  esac
}

apply() {
  latest
  local code=0
  run_with_signals reconciler apply the.plan --auto-approve --json-into apply.json --markdown-into apply.md || code=$?
  keep                                   # also after a failure or a cancel: new endpoints are recorded
  return "$code"
}

drift() {
  latest
  local code=0
  reconciler drift --json-into drift.json --markdown-into drift.md --junit-into drift.xml || code=$?
  return "$code"                         # 0 no drift, 2 drift, other: unknown
}

case ${1:-} in
  plan | apply | drift | latest | keep) "$1" ;;
  *)
    echo "usage: $0 plan|apply|drift|latest|keep" >&2
    exit 64
    ;;
esac
