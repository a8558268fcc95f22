"""A stand-in for the model behind a coding agent: it plays a list of shell commands, one call of the agent's shell
tool a turn, and keeps what the agent sends back.

It speaks as much of Anthropic Messages, OpenAI Responses, OpenAI Chat Completions and Gemini as the agents here use,
on loopback only. Which command is next is read off the results in the request, so that side requests (titles,
retries) change nothing.
"""
import gzip
import json
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CALL = "call_kibosh_"
END = "That is all."


class Play:
    """What is played: a list of steps. A step has `command`, and maybe `arguments` (more of the tool's), `before`
    (called before it is sent) and `after` (called with its result)."""

    def __init__(self, tool, steps):
        self.tool, self.steps = tool, steps
        self.lock = threading.Lock()
        self.sent = {}          # step -> when its call was on its way
        self.results = {}       # step -> text of its result
        self.errors = []        # what went wrong here, and is no fault of the agent's

    def answer(self, schema, results):
        """The answer to a request whose tools have `schema` for the shell tool (none: it is a side request) and
        which holds `results`, by step: a step and its arguments, or none for text."""
        now = time.monotonic()
        with self.lock:
            for step, text in results.items():
                if step not in self.results:
                    self.results[step] = text
                    self.steps[step].seconds = now - self.sent.get(step, now)
                    self.steps[step].result = text
                    self.steps[step].after()
            step = len(results)
            if step >= len(self.steps):
                return None
            if schema is None:
                return None
            one = self.steps[step]
            if step not in self.sent:
                one.before()
                self.sent[step] = time.monotonic()
            return step, {**required(schema, one.command), **one.arguments}

    def left(self, step):
        """The call is with the agent now."""
        self.sent[step] = time.monotonic()


def required(schema, command):
    """The arguments that the tool cannot do without."""
    properties = schema.get("properties") or {}
    name = "cmd" if "cmd" in properties else "command"
    other = {key: "as it was told" for key in schema.get("required") or [] if key != name}
    return {name: command, **other}


def text_of(content):
    """All text in a result, whatever its form."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(filter(None, map(text_of, content)))
    if isinstance(content, dict):
        if content.get("type") in ("text", "input_text", "output_text"):
            return content.get("text", "")
        return "\n".join(filter(None, map(text_of, content.values())))
    return "" if content is None else str(content)


def step_of(name):
    """The step of a call's name; none where it is not one of these."""
    return int(name[len(CALL):]) if (name or "").startswith(CALL) else None


class Anthropic:
    @staticmethod
    def read(body):
        tools = {one.get("name"): one.get("input_schema") for one in body.get("tools") or []}
        found = []
        for message in body.get("messages") or []:
            for part in message["content"] if isinstance(message.get("content"), list) else []:
                if part.get("type") == "tool_result":
                    found.append((part.get("tool_use_id"), part.get("content")))
        return tools, found

    @staticmethod
    def write(call, body):
        if call:
            step, name, arguments = call
            block = {"type": "tool_use", "id": f"{CALL}{step}", "name": name, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(arguments)}
            whole, stop = {**block, "input": arguments}, "tool_use"
        else:
            block, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": END}
            whole, stop = {"type": "text", "text": END}, "end_turn"
        usage = {"input_tokens": 1, "output_tokens": 1}
        message = {"id": "msg_kibosh", "type": "message", "role": "assistant", "model": body.get("model"),
                   "content": [whole], "stop_reason": stop, "stop_sequence": None, "usage": usage}
        if not body.get("stream"):
            return message
        events = [
            {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
            {"type": "content_block_start", "index": 0, "content_block": block},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": usage},
            {"type": "message_stop"},
        ]
        return [(event["type"], event) for event in events]


class Responses:
    @staticmethod
    def read(body):
        items = body["input"] if isinstance(body.get("input"), list) else []
        offered = list(body.get("tools") or [])
        for item in items:
            if item.get("type") == "additional_tools":
                offered += item.get("tools") or []
        tools = {}
        for one in offered:
            for tool in one.get("tools") or [one]:
                tools[tool.get("name")] = tool.get("parameters")
        outputs = [item for item in items if str(item.get("type")).endswith("_call_output")]
        return tools, [(item.get("call_id"), item.get("output")) for item in outputs]

    @staticmethod
    def write(call, body):
        if call:
            step, name, arguments = call
            item = {"type": "function_call", "id": f"fc_{step}", "call_id": f"{CALL}{step}", "name": name,
                    "status": "completed", "arguments": json.dumps(arguments)}
        else:
            item = {"type": "message", "id": "msg_kibosh", "role": "assistant", "status": "completed",
                    "content": [{"type": "output_text", "text": END, "annotations": []}]}
        response = {"id": "resp_kibosh", "object": "response", "created_at": 0, "status": "completed",
                    "model": body.get("model"), "output": [item],
                    "usage": {"input_tokens": 1, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 1,
                              "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 2}}
        if not body.get("stream"):
            return response
        events = [
            {"type": "response.created", "response": {**response, "status": "in_progress", "output": []}},
            {"type": "response.output_item.added", "output_index": 0, "item": item},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": response},
        ]
        return [(event["type"], {**event, "sequence_number": number}) for number, event in enumerate(events)]


class Chat:
    @staticmethod
    def read(body):
        functions = [one.get("function") or {} for one in body.get("tools") or []]
        tools = {one.get("name"): one.get("parameters") for one in functions}
        messages = [one for one in body.get("messages") or [] if one.get("role") == "tool"]
        return tools, [(one.get("tool_call_id"), one.get("content")) for one in messages]

    @staticmethod
    def write(call, body):
        if call:
            step, name, arguments = call
            function = {"name": name, "arguments": json.dumps(arguments)}
            message = {"role": "assistant", "content": None, "tool_calls": [
                {"index": 0, "id": f"{CALL}{step}", "type": "function", "function": function}]}
        else:
            message = {"role": "assistant", "content": END}
        end = "tool_calls" if call else "stop"
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        base = {"id": "chatcmpl-kibosh", "created": 0, "model": body.get("model")}
        if not body.get("stream"):
            choice = {"index": 0, "message": message, "finish_reason": end}
            return {**base, "object": "chat.completion", "choices": [choice], "usage": usage}
        base["object"] = "chat.completion.chunk"
        return [
            (None, {**base, "choices": [{"index": 0, "delta": message, "finish_reason": None}]}),
            (None, {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": end}], "usage": usage}),
            (None, "[DONE]"),
        ]


class Gemini:
    @staticmethod
    def read(body):
        functions = [one for tool in body.get("tools") or [] for one in tool.get("functionDeclarations") or []]
        tools = {one["name"]: one.get("parametersJsonSchema") or one.get("parameters") for one in functions}
        parts = [part for content in body.get("contents") or [] for part in content.get("parts") or []]
        answers = [part["functionResponse"] for part in parts if "functionResponse" in part]
        # They may come back without the name of the call, but in order.
        return tools, [(f"{CALL}{step}", one.get("response")) for step, one in enumerate(answers)]

    @staticmethod
    def write(call, body):
        if call:
            step, name, arguments = call
            part = {"functionCall": {"id": f"{CALL}{step}", "name": name, "args": arguments}, "thoughtSignature": "AA=="}
        else:
            part = {"text": END}
        answer = {"candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
                  "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}}
        return [(None, answer)] if body["stream"] else answer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    play = None

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.reply(200, {"data": [], "models": [], "object": "list"})

    do_HEAD = do_GET

    def do_POST(self):
        path = self.path.split("?")[0].rstrip("/")
        body = self.body()
        if path.endswith("/count_tokens"):
            return self.reply(200, {"input_tokens": 1})
        if path.endswith(":countTokens"):
            return self.reply(200, {"totalTokens": 1})
        if path.endswith("/messages"):
            form = Anthropic
        elif path.endswith("/responses"):
            form = Responses
        elif path.endswith("/chat/completions"):
            form = Chat
        elif path.endswith(("GenerateContent", ":generateContent")):
            form = Gemini
            body["stream"] = "stream" in path
        else:
            return self.reply(404, {"error": {"message": "there is no such thing here"}})
        tools, found = form.read(body)
        results = {step_of(name): text_of(content) for name, content in found}
        results.pop(None, None)
        answer = self.play.answer(tools.get(self.play.tool), results)
        call = answer and (answer[0], self.play.tool, answer[1])
        written = form.write(call, body)
        if isinstance(written, dict):
            self.reply(200, written)
        else:
            self.stream(written)
        if answer:
            self.play.left(answer[0])

    def body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            raw = b""
            while size := int(self.rfile.readline(), 16):
                raw += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
        return json.loads(raw or b"{}")

    def reply(self, status, value):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def stream(self, events):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for name, event in events:
            text = event if isinstance(event, str) else json.dumps(event)
            self.wfile.write(((f"event: {name}\n" if name else "") + f"data: {text}\n\n").encode())
        self.wfile.flush()
        self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True
    play = None

    def handle_error(self, *_):
        # An agent that leaves in the middle of an answer is no mistake.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            self.play.errors.append(traceback.format_exc())


def serve(play):
    """Plays it in a thread; gives the address."""
    handler = type("Playing", (Handler,), {"play": play})
    server = Server(("127.0.0.1", 0), handler)
    server.play = play
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"
