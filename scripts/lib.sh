# Shared by the scripts: set-up from a bare checkout. Sourced, with the repository as working directory.

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

# Node 18, as Debian 12 has it, or newer starts npm; the project itself runs on the Node 24 that npm ci puts in node_modules.
require_node() {
  command -v node >/dev/null && command -v npm >/dev/null ||
    die "Node 18 or newer and npm are needed: apt-get install nodejs npm, or see https://nodejs.org"
  [ "$(node_major)" -ge 18 ] || die "Node $(node --version) is too old: 18 or newer is needed"
}

node_major() { node -p 'process.versions.node.split(".")[0]'; }

# npm leaves out what its own Node is too old for, below 20 the tools' binaries: then it runs on the project's Node.
npm_ci() {
  local command=(npm)
  if [ "$(node_major)" -lt 20 ]; then
    command=(npx --yes "node@$(node -p 'require("./package.json").devDependencies.node')" --no-deprecation "$(command -v npm)")
  fi
  "${command[@]}" ci --no-progress --loglevel=error </dev/null >&2
}

# The hidden lock inside node_modules is written last, so a half-finished install is seen and repeated.
install_modules() {
  local installed=node_modules/.package-lock.json
  if [ -f "$installed" ] && [ ! package-lock.json -nt "$installed" ]; then return; fi
  say "Installing what package-lock.json names into node_modules (npm ci): the libraries, the tools and Node 24."
  npm_ci
  touch "$installed"
}

# The page that a browser gets from the bridge, where nobody built it since what it is made of changed.
build_console() {
  node_modules/.bin/node --disable-warning=ExperimentalWarning scripts/build-console.ts
}

# Lines `<command>:<Debian package>:<why>`, of which those are answered whose command is missing.
missing_of() {
  local entry
  for entry in "$@"; do command -v "${entry%%:*}" >/dev/null || printf '%s\n' "$entry"; done
}

# Root on Debian or what comes of it. In CI, sudo that asks nothing will do.
may_install() {
  grep -Eqs '^(ID|ID_LIKE)=.*debian' /etc/os-release && command -v apt-get >/dev/null || return 1
  [ "$(id -u)" -eq 0 ] || { [ "${CI:-}" = true ] && sudo -n true 2>/dev/null; }
}

# apt_command <entry> …: what a person has to type.
apt_command() {
  local entry packages=()
  for entry in "$@"; do packages+=("$(cut -d: -f2 <<<"$entry")"); done
  printf 'sudo apt-get install -y %s' "${packages[*]}"
}

# require_packages <entry> …: installs what is missing, or says the command that does and ends.
require_packages() {
  local missing
  mapfile -t missing < <(missing_of "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  may_install || die "some programs are missing; on Debian: $(apt_command "${missing[@]}")"
  apt_install "${missing[@]}" || die "apt could not install them; try: $(apt_command "${missing[@]}")"
}

# install_useful_packages <entry> …: installs what is missing, as far as this release of Debian has it. Where it may
# not, the tests are skipped and $could_install is what a person can do about it.
could_install=
install_useful_packages() {
  local entry missing package why
  mapfile -t missing < <(missing_of "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  if ! may_install; then
    could_install=$(apt_command "${missing[@]}")
    return 0
  fi
  for entry in "${missing[@]}"; do
    package=$(cut -d: -f2 <<<"$entry")
    if ! apt_has "$package"; then
      say "apt knows no $package here: its tests are skipped."
    elif ! apt_install --no-install-recommends "$entry"; then
      say "apt could not install $package: its tests are skipped."
    fi
  done
}

# A Kafka broker for the tests, from wherever this machine's Maven gets its artifacts, once. Where there is no Java, no
# Maven, or nothing comes within ten minutes, the tests of Kafka are skipped.
fetch_kafka() {
  local jars=$HOME/.cache/nomad-changefeed/kafka
  if [ -n "${TEST_KAFKA_LIBS:-}" ] || [ -d "$jars" ]; then return 0; fi
  if ! command -v java >/dev/null || ! command -v mvn >/dev/null; then return 0; fi
  say "Fetching Kafka with Maven: tests of Kafka run against a real one."
  rm -rf "$jars.part"
  if timeout 600 mvn -q -B -f test/support/kafka/pom.xml dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$jars.part" </dev/null >&2; then
    mv "$jars.part" "$jars"
  else
    say "Maven could not fetch Kafka: its tests are skipped."
  fi
}

# build_go_program <name> <package@version> <what it is for>: a program for the tests, from wherever this machine's Go gets its
# modules, once. Where there is no Go, or nothing comes within five minutes, the tests that want it are skipped.
build_go_program() {
  local cache=$HOME/.cache/nomad-changefeed
  if [ -x "$cache/$1" ] || ! command -v go >/dev/null; then return 0; fi
  say "Building $1 with Go: $3."
  if ! GOBIN=$cache timeout 300 go install "$2" </dev/null >&2; then
    say "Go could not build $1: its tests are skipped."
  fi
}

apt_has() { [[ $(apt-cache policy "$1" 2>/dev/null) == *'Candidate: '[!\(]* ]]; }

apt_is_updated=false
apt_update() {
  "$apt_is_updated" || as_root apt-get update -qq || return
  apt_is_updated=true
}

# apt_install [<option of apt-get install>] <entry> …
apt_install() {
  local entry command package why options=() packages=()
  for entry in "$@"; do
    if [[ $entry == -* ]]; then options+=("$entry") && continue; fi
    IFS=: read -r command package why <<<"$entry"
    say "Installing $package with apt: $why."
    packages+=("$package")
  done
  apt_update || return
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 "${options[@]}" "${packages[@]}" || return
  for package in "${packages[@]}"; do stop_services_of "$package"; done
}

# Tests start servers of their own: what apt started, and would start at each boot, only holds ports and memory.
stop_services_of() {
  local service
  for service in $(dpkg -L "$1" | sed -nE 's#^(/usr)?/lib/systemd/system/([^@/]+)\.service$#\2#p; s#^/etc/init\.d/##p' | sort -u); do
    if [ -d /run/systemd/system ]; then
      as_root systemctl stop "$service" || true
    elif [ -x "/etc/init.d/$service" ]; then
      as_root "/etc/init.d/$service" stop || true
    fi
    if command -v systemctl >/dev/null; then as_root systemctl disable --quiet "$service" || true; fi
  done
}

# know_backports_for <Debian package>: where apt does not know it, lets it know the backports of this release of Debian
# too, from where it has its packages already. Nothing else is taken from there. Fails silently.
know_backports_for() {
  local codename site source
  codename=$(. /etc/os-release 2>/dev/null && [ "${ID:-}" = debian ] && printf %s "${VERSION_CODENAME:-}") || return 0
  apt_update || return 0
  ! apt_has "$1" || return 0
  site=$(apt-get indextargets --format '$(SITE)' "Codename: $codename" 2>/dev/null | head -n 1)
  [ -n "$site" ] || return 0
  source=/etc/apt/sources.list.d/$codename-backports.list
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s-backports main\n' "$site" "$codename" |
    as_root_writes "$source"
  as_root apt-get update -qq || as_root rm -f "$source"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@" </dev/null >&2; else sudo "$@" </dev/null >&2; fi
}

# Writes standard input to a file that belongs to root.
as_root_writes() {
  if [ "$(id -u)" -eq 0 ]; then cat >"$1"; else sudo tee "$1" >/dev/null; fi
}

# install_python_packages <package> …: what others wrote in Python and tests check ours by, in a place of their own that
# $TEST_PYTHON names. Where that fails, their tests are skipped.
install_python_packages() {
  local place=node_modules/.cache/python
  command -v python3 >/dev/null || return 0
  if ! python3 -c "import ensurepip" 2>/dev/null && may_install; then
    apt_install "python3:python3-venv:it makes a place for Python's packages" || true
  fi
  if { [ -x "$place/bin/pip" ] || python3 -m venv "$place"; } >/dev/null 2>&1 &&
    "$place/bin/pip" install --quiet --disable-pip-version-check "$@" >&2; then
    export TEST_PYTHON=$PWD/$place/bin/python3
  else
    say "Python's packages could not be installed ($*): their tests are skipped."
  fi
}
