#!/bin/sh
# The curl lines of the seed's usage section, against `reconciler serve` on this machine.
#
#   reconciler serve --allow-unauthenticated-writes     # in another terminal
#   examples/sdk/seed_usage.sh
#
# With RECONCILER_API_TOKENS, give the token as API_TOKEN. SERVER is another address of the server.
set -eu
SERVER=${SERVER:-http://localhost:8090}

curl() {
  if [ -n "${API_TOKEN:-}" ]; then
    # from stdin, because other users can read the arguments of a process
    printf 'header = "Authorization: Bearer %s"\n' "$API_TOKEN" | command curl -sS --fail-with-body -K - "$@"
  else
    command curl -sS --fail-with-body "$@"
  fi
  echo
}

# Preview Deployment Configuration
curl -X POST "$SERVER/api/v1/endpoints/preview" \
  -H "Content-Type: application/json" \
  -d '{
    "endpoint": "base-test",
    "specName": "novita-5090-single",
    "image": "ubuntu:22.04",
    "replicas": 3,
    "taskTimeout": 1200
  }'

# Deploy Endpoint
curl -X POST "$SERVER/api/v1/endpoints" \
  -H "Content-Type: application/json" \
  -d '{
    "endpoint": "base-test",
    "specName": "novita-5090-single",
    "image": "ubuntu:22.04",
    "replicas": 3,
    "taskTimeout": 1200,
    "env": {
      "MODEL_NAME": "llama-3-70b"
    }
  }'

# Scale Endpoint
curl -X POST "$SERVER/api/v1/endpoints/base-test/scale" \
  -H "Content-Type: application/json" \
  -d '{"replicas": 5}'

# Get Endpoint Status: the details, and the status only
curl "$SERVER/api/v1/endpoints/base-test"
curl "$SERVER/api/v1/endpoints/base-test/status"

# List All Endpoints
curl "$SERVER/api/v1/endpoints"

# Update Deployment
curl -X PATCH "$SERVER/api/v1/endpoints/base-test/deployment" \
  -H "Content-Type: application/json" \
  -d '{
    "image": "ubuntu:22.04",
    "replicas": 5,
    "env": {
      "MODEL_VERSION": "v2"
    }
  }'

# Delete Endpoint
curl -X DELETE "$SERVER/api/v1/endpoints/base-test"
