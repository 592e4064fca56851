"""LocalStack in host mode (no Docker): the S3 and SNS that the listener's outside proof runs against.

    python host_mode.py --port PORT --folder FOLDER [--until-stdin-closes]

Listens on loopback only, keeps its files below FOLDER, and calls nobody. It writes "Ready." on
standard output when it answers.

With --until-stdin-closes it removes FOLDER and ends when its standard input does, so that neither
can outlive the process that started it.
"""

import argparse
import os
import shutil
import sys
import tempfile
import threading

HOST = "127.0.0.1"


def settings(port: int, folder: str) -> dict[str, str]:
    """LocalStack reads these once, when its modules are imported."""
    return {
        "GATEWAY_LISTEN": f"{HOST}:{port}",
        # Stands in the certificate's URL; the default is a public host name.
        "LOCALSTACK_HOST": f"{HOST}:{port}",
        "SERVICES": "s3,sns,sqs,sts,iam",
        # Two ways to call home, and a DNS server that would want port 53.
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",
        "DNS_ADDRESS": "0",
        # Profiles in the home folder would change what is tested.
        "CONFIG_DIR": os.path.join(folder, "configuration"),
    }


def listen_on_loopback_or_exit() -> None:
    """LocalStack 4.13.1 takes only the port of GATEWAY_LISTEN, opens it to every network, and says
    that it is ready even when the port is somebody else's."""
    from twisted.internet import endpoints

    class LoopbackEndpoint(endpoints.TCP4ServerEndpoint):
        def __init__(self, reactor, port):
            super().__init__(reactor, port, interface=HOST)

        def listen(self, protocol_factory):
            return super().listen(protocol_factory).addErrback(exit_with)

    endpoints.TCP4ServerEndpoint = LoopbackEndpoint


def exit_with(failure) -> None:
    print(failure.getErrorMessage(), file=sys.stderr, flush=True)
    os._exit(1)


def exit_when_stdin_closes(folder: str) -> None:
    """Blocks until the other end of standard input is closed, then removes the folder and ends."""
    sys.stdin.buffer.read()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(description="LocalStack's S3 and SNS, without Docker.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--until-stdin-closes", action="store_true")
    arguments = parser.parse_args()

    folder = os.path.abspath(arguments.folder)
    os.environ.update(settings(arguments.port, folder))
    # Objects of S3 lie there. TMPDIR would do the same, but LocalStack takes it for one of its own.
    tempfile.tempdir = folder
    if arguments.until_stdin_closes:
        threading.Thread(target=exit_when_stdin_closes, args=(folder,), daemon=True).start()

    listen_on_loopback_or_exit()
    from localstack.runtime.main import main as run_localstack

    run_localstack()


if __name__ == "__main__":
    main()
