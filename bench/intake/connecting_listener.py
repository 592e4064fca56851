"""A listener as such scripts are written: http.server, and a connection to PostgreSQL per message."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2


class Listener(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keep-alive, as the others have it

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        connection = psycopg2.connect(os.environ["DATABASE_URL"])
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO python_messages (message_id, message) VALUES (%s, %s)",
                    (message["MessageId"], message["Message"]),
                )
        finally:
            connection.close()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format, *args):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128  # the default of 5 would refuse connections


server = Server(("127.0.0.1", 0), Listener)
print(json.dumps({"msg": "listening", "port": server.server_port}), flush=True)
server.serve_forever()
