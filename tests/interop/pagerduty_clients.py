"""PagerDuty's own Python clients, unchanged: trigger, the same again, acknowledge, resolve."""

import asyncio
import os
import ssl
import subprocess
import tempfile
import threading
from urllib.parse import urlsplit

import pagerduty
import pdpyras

KEY = "example0pagerduty0key00000000001"
FRONT = 18443


async def forward(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


async def front(target, certificate, key):
    async def both(reader, writer):
        there, back = await asyncio.open_connection(target.hostname, target.port)
        await asyncio.gather(forward(reader, back), forward(there, writer), return_exceptions=True)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(both, "127.0.0.1", FRONT, ssl=context)
    ready.set()
    await server.serve_forever()


def walk(name, client):
    event = dict(source="web-1.example", severity="critical", custom_details={"region": "eu"})
    key = client.trigger("Payments are failing", **event)
    assert client.trigger("Payments are failing", dedup_key=key, **event) == key
    assert client.acknowledge(key) == key
    assert client.resolve(key) == key
    print(f"{name}: triggered, repeated, acknowledged, resolved {key}")


with tempfile.TemporaryDirectory() as folder:
    certificate, key = f"{folder}/crt", f"{folder}/key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )
    os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"] = certificate
    ready = threading.Event()
    target = urlsplit(os.environ.get("RINGDOWN_URL", "http://127.0.0.1:8080"))
    threading.Thread(target=lambda: asyncio.run(front(target, certificate, key)), daemon=True).start()
    ready.wait(5)

    base = f"https://localhost:{FRONT}"
    walk("pagerduty", pagerduty.EventsApiV2Client(KEY, base_url=base))
    older = pdpyras.EventsAPISession(KEY)
    older.url = base
    walk("pdpyras", older)
