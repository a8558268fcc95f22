"""The agents: where they come from, how each is started without asking anybody and with a model at an address, and
how it is made to use kibosh."""
import json
import os
import shutil
import subprocess
import sys

KEY = "sk-nobody-000000000000000000000000000000000000"
MODEL = "stand-in"
PROMPT = "Run what you are told to run."
ALWAYS_SH = "it always starts /bin/sh"


class Unavailable(Exception):
    """A package cannot be had."""


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(content if isinstance(content, str) else json.dumps(content, indent=2) + "\n")


class Agent:
    version = ""
    packages = ()           # of npm
    program = ""
    tool = ""               # its shell tool
    timeout = {}            # arguments with which it gives a command up soon
    patience = {}           # arguments with which it waits for a person
    last = None             # a command after which it leaves
    without = {}            # ways that do not cover it, and why
    own_dialog = False      # whether its hook leaves the question to it
    gaps = {}               # (way, case) -> what is known not to hold there; none should be here

    def __init__(self, cache):
        self.folder = os.path.join(cache, f"{self.name}-{self.version}")

    @property
    def name(self):
        return type(self).__name__.lower()

    def path(self):
        return os.path.join(self.folder, "node_modules/.bin", self.program)

    def install(self):
        """Puts its packages into the cache, where they are not there."""
        done = os.path.join(self.folder, ".complete")
        if os.path.exists(done):
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.fetch()
        write(done, "")

    def fetch(self):
        write(os.path.join(self.folder, "package.json"), {"private": True})
        command("npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", self.folder, *self.packages)

    def prepare(self, place, url):
        """Its settings."""

    def environment(self, place, url):
        return {}

    def arguments(self, place, way):
        raise NotImplementedError

    def guard(self, place, way, kibosh):
        """Sets it up for a way; gives what is to be changed in the environment."""
        return {}


def command(*words):
    try:
        ended = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    except OSError as error:
        raise Unavailable(f"{words[0]}: {error.strerror}") from error
    if ended.returncode:
        raise Unavailable(f"`{' '.join(words)}` ended with status {ended.returncode}")


def init(place, agent, kibosh):
    """What `kibosh init` writes for it."""
    subprocess.run([kibosh, "init", agent, "--yes"], check=True, stdout=subprocess.DEVNULL, cwd=place.work,
                   env=place.environment())


class Claude(Agent):
    version = "2.1.330"
    packages = (f"@anthropic-ai/claude-code@{version}",)
    program, tool = "claude", "Bash"
    timeout = {"timeout": 3000}
    own_dialog = True

    def prepare(self, place, url):
        write(f"{place.home}/.claude.json", {"hasCompletedOnboarding": True, "bypassPermissionsModeAccepted": True,
                                             "projects": {place.work: {"hasTrustDialogAccepted": True}}})

    def environment(self, place, url):
        return {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": KEY, "IS_SANDBOX": "1", "DISABLE_AUTOUPDATER": "1",
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1"}

    def arguments(self, place, way):
        return ["-p", "--dangerously-skip-permissions", "--model", "sonnet", PROMPT]

    def guard(self, place, way, kibosh):
        if way in ("shell", "hook"):
            init(place, "claude", kibosh)
        if way == "hook":
            path = f"{place.home}/.claude/settings.json"
            with open(path, encoding="utf-8") as file:
                settings = json.load(file)
            del settings["env"]["CLAUDE_CODE_SHELL"]
            write(path, settings)
        return {}


class Codex(Agent):
    version = "0.169.0"
    packages = (f"@openai/codex@{version}",)
    program, tool = "codex", "exec_command"
    timeout = {"yield_time_ms": 3000}
    patience = {"yield_time_ms": 30000}

    def prepare(self, place, url):
        write(f"{place.home}/.codex/config.toml", f"""model = "{MODEL}"
model_provider = "{MODEL}"
check_for_update_on_startup = false
[analytics]
enabled = false
[model_providers.{MODEL}]
name = "{MODEL}"
base_url = "{url}/v1"
env_key = "STAND_IN_KEY"
wire_api = "responses"
[projects."{place.work}"]
trust_level = "trusted"
""")

    def environment(self, place, url):
        return {"STAND_IN_KEY": KEY}

    def arguments(self, place, way):
        trust = ["--dangerously-bypass-hook-trust"] if way == "hook" else []
        return ["exec", "--dangerously-bypass-approvals-and-sandbox", *trust, PROMPT]

    def guard(self, place, way, kibosh):
        if way == "shell":
            place.set_login_shell(f"{place.names}/bash")
        if way == "hook":
            init(place, "codex", kibosh)
        return {}


class Gemini(Agent):
    version = "0.61.0"
    packages = (f"@google/gemini-cli@{version}",)
    program, tool = "gemini", "run_shell_command"

    def prepare(self, place, url):
        write(f"{place.home}/.gemini/settings.json", {
            "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
            "privacy": {"usageStatisticsEnabled": False}, "telemetry": {"enabled": False},
            "general": {"enableAutoUpdate": False}, "tools": {"shell": {"inactivityTimeout": 15}}})

    def environment(self, place, url):
        return {"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": url, "GEMINI_CLI_TRUST_WORKSPACE": "true"}

    def arguments(self, place, way):
        return ["--yolo", "-m", "gemini-2.5-pro", "-p", PROMPT]

    def guard(self, place, way, kibosh):
        if way == "hook":
            init(place, "gemini", kibosh)
        return {"PATH": f"{place.names}:{place.path}"} if way == "shell" else {}


class OpenCode(Agent):
    version = "1.18.33"
    packages = (f"opencode-ai@{version}",)
    program, tool = "opencode", "bash"
    timeout = {"timeout": 3000}
    without = {"hook": "it would be a plugin, which kibosh does not have"}

    def prepare(self, place, url):
        write(f"{place.home}/.config/opencode/opencode.json", {
            "autoupdate": False, "share": "disabled", "permission": "allow",
            "model": f"{MODEL}/{MODEL}", "small_model": f"{MODEL}/{MODEL}",
            "provider": {MODEL: {
                "npm": "@ai-sdk/openai-compatible", "name": MODEL, "options": {"baseURL": f"{url}/v1", "apiKey": KEY},
                "models": {MODEL: {"name": MODEL, "tool_call": True, "limit": {"context": 100000, "output": 8000}}}}}})

    def environment(self, place, url):
        return {"OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1",
                "OPENCODE_DISABLE_LSP_DOWNLOAD": "1"}

    def arguments(self, place, way):
        return ["run", "-m", f"{MODEL}/{MODEL}", PROMPT]

    def guard(self, place, way, kibosh):
        if way == "shell":
            init(place, "opencode", kibosh)
        return {}


class Mini(Agent):
    version = "2.4.6"
    program, tool = "mini", "bash"
    last = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
    without = {"shell": ALWAYS_SH, "hook": "it has none"}

    def path(self):
        return os.path.join(self.folder, "bin", self.program)

    def fetch(self):
        command(sys.executable, "-m", "venv", self.folder)
        command(os.path.join(self.folder, "bin/pip"), "install", "--quiet", f"mini-swe-agent=={self.version}", "mcp==2.3.0",
                "litellm==1.110.2")

    def environment(self, place, url):
        return {"MSWEA_CONFIGURED": "true", "MSWEA_SILENT_STARTUP": "1", "MSWEA_COST_TRACKING": "ignore_errors",
                "OPENAI_API_KEY": KEY, "OPENAI_API_BASE": f"{url}/v1", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}

    def arguments(self, place, way):
        return ["-y", "-m", f"openai/{MODEL}", "-c", "mini.yaml", "-c", "environment.timeout=15", "--exit-immediately",
                "-t", PROMPT]


AGENTS = {one.__name__.lower(): one for one in (Claude, Codex, Gemini, OpenCode, Mini)}
