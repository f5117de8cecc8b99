# Functions that the examples of the documents share. Source it with bash or zsh, in the folder of the checkout, while
# the service is running: `. docs/shell.sh`
API=${API:-http://127.0.0.1:3000}
METRICS=${METRICS:-http://127.0.0.1:9464}

# json .id: prints one value of the JSON on standard input.
json() { node -pe "JSON.parse(require('fs').readFileSync(0))$1"; }

# signin EMAIL: prints an access token of a demonstration account. It is valid for ten minutes.
PASSWORD=$(json '[0].password' < "${DATA_DIR:-data}/demonstration.json")
signin() {
  curl -s "$API/v1/sessions" -H 'content-type: application/json' -d "{\"email\":\"$1\",\"password\":\"$PASSWORD\"}" |
    json .accessToken
}

# get TOKEN PATH: sends a GET request.
get() { curl -s "$API$2" -H "authorization: Bearer $1" && echo; }

# post TOKEN PATH BODY [VERSION], put TOKEN PATH BODY [VERSION]: sends a change. VERSION is the version of the resource
# that you have read. Each request has a new Idempotency-Key.
post() { send POST "$@"; }
put() { send PUT "$@"; }
send() {
  curl -s -X "$1" "$API$3" -H "authorization: Bearer $2" -H 'content-type: application/json' \
    -H "idempotency-key: $RANDOM-$RANDOM-$RANDOM" ${5:+-H} ${5:+"if-match: \"$5\""} -d "$4" && echo
}
