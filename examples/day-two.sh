#!/usr/bin/env bash
# Daily work with two environments, against a simulated Novita on this machine: no account, no cost.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/simulated.sh"

# With it, apply refuses to ask for an approval: a person answers below.
unset CI

cp -R "$here"/day-two/. "$work"
mkdir "$work/home" "$work/bin"
# A stand-in for the program of a secret manager; docs/secrets.md has those of 1Password, Vault and others.
cat > "$work/bin/vault-demo" <<'PROGRAM'
#!/bin/sh
printf 'secret-of-%s\n' "$2"
PROGRAM
chmod +x "$work/bin/vault-demo"
export PATH="$work/bin:$PATH" HOME="$work/home" RECONCILER_SECRET_HELPERS='vault=vault-demo read %s'
mkdir "$work/repo"
mv "$work"/*.yaml "$work"/.env.dev "$work/repo"
cd "$work/repo"

start_simulator --set worker_boot_seconds=1

say "Two environments of the same files"
run cat config.yaml endpoints.yaml
run reconciler env list
fails 1 reconciler plan
fails 2 reconciler env diff dev prod

say "dev: apply, and prove by a request that each endpoint serves"
run reconciler -e dev apply --probe --auto-approve -m 'First version'
run reconciler -e dev output
run reconciler -e dev output --env
run reconciler -e dev call chat '{"messages": [{"role": "user", "content": "Hello"}]}' --path /v1/chat/completions

say "prod is protected: its name is the approval, and nothing is destroyed"
run reconciler -e prod plan --out prod.plan
run reconciler show prod.plan
shown reconciler apply prod.plan
echo prod | reconciler apply prod.plan
fails 3 reconciler -e prod destroy --auto-approve
run reconciler -e prod list

say "A version that does not serve is rolled back under the same approval"
cp endpoints.yaml endpoints.good
run sed -i.bak -e 's/chat:1.4.2/chat:1.5.0/' -e 's/contains: You said/contains: version 1.5/' endpoints.yaml
fails 4 reconciler -e dev apply --target chat --probe --rollback-on-failure --auto-approve -m 'Version 1.5.0'
run reconciler -e dev history chat
mv endpoints.good endpoints.yaml
run reconciler -e dev plan --detailed-exitcode

say "More workers for an evening; the next apply restores the counts of the YAML"
run reconciler -e prod scale chat 4 --for 6h --why 'launch day' --auto-approve
run reconciler -e prod status
run reconciler -e prod get chat

say "Go back to an earlier version, also in the YAML"
run reconciler -e dev update chat --image ghcr.io/acme/chat:1.4.3 --auto-approve -m 'Hotfix'
run reconciler -e dev rollback chat --auto-approve --write
run reconciler -e dev history chat

say "Small questions"
run reconciler explain probe.expect
run reconciler -e prod plan --target 'embed-*' --no-replace --detailed-exitcode
run reconciler -e prod watch --initial --for 1s
run reconciler -e prod logs chat
fails 2 reconciler -e dev pin --check
run reconciler version

say "The end"
run reconciler -e dev destroy --auto-approve
