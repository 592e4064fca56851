"""SES: what an account may send."""

import json

from moto.sesv2 import urls
from moto.sesv2.responses import SESV2Response


def patch() -> None:
    urls.url_paths["{0}/v2/email/account$"] = SESV2Response.dispatch
    SESV2Response.get_account = get_account


def get_account(_: SESV2Response) -> str:
    """As of an account for which nobody has asked for production access."""
    return json.dumps(
        {
            "ProductionAccessEnabled": False,
            "SendingEnabled": True,
            "SendQuota": {"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 0.0},
        }
    )
