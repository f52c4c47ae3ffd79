"""The requests of DocuSign's own client library, asked for what standard input says: run by its own Python, beside
nothing of ours. Prints its grant's claims, and what of our answers to it the library has understood.
"""

import json
import sys
from types import SimpleNamespace

import jwt
from docusign_esign import AccountsApi, ApiClient, EnvelopesApi, FoldersApi

wanted = json.load(sys.stdin)
account, envelope, key = wanted["account"], wanted["envelope"], wanted["key"]
client = ApiClient(host=wanted["server"] + "/restapi")
client.set_default_header("Authorization", "Bearer " + wanted["token"])


def model(name: str, values: object) -> object:
    """The library's own object of that name: what it does not know is lost on the way."""
    return client.deserialize(SimpleNamespace(data=json.dumps(values)), name)


envelopes = EnvelopesApi(client)
created = envelopes.create_envelope(account, envelope_definition=model("EnvelopeDefinition", wanted["create"]))
view = envelopes.create_recipient_view(
    account, envelope, recipient_view_request=model("RecipientViewRequest", wanted["view"])
)
status = envelopes.get_envelope(account, envelope, include="recipients")
found = envelopes.list_status_changes(account, transaction_ids=wanted["create"]["transactionId"])
document = envelopes.get_document(account, "combined", envelope, certificate="true")
envelopes.update(account, envelope, envelope=model("Envelope", wanted["void"]))
FoldersApi(client).move_envelopes(account, "recyclebin", folders_request=model("FoldersRequest", wanted["delete"]))
info = AccountsApi(client).get_account_information(account)

grants: list[dict[str, str]] = []


def asked(method: str, url: str, **given: object) -> SimpleNamespace:
    """The call for a token, which the library makes over https alone."""
    grants.append({"url": url, **given["post_params"]})
    return SimpleNamespace(data=json.dumps({"access_token": "t", "token_type": "Bearer", "expires_in": 1}), status=200)


client.request = asked
client.request_jwt_user_token(
    wanted["integration_key"],
    wanted["user"],
    "account-d.docusign.com",
    key.encode(),
    3600,
    ["signature", "impersonation"],
)
(grant,) = grants


def claims(assertion: str) -> dict[str, object]:
    """What a grant claims, once its signature is verified."""
    options = {"verify_aud": False, "verify_iat": False}
    return {
        "header": jwt.get_unverified_header(assertion),
        "claims": jwt.decode(assertion, wanted["public_key"], algorithms=["RS256"], options=options),
    }


print(
    json.dumps(
        {
            "grant": {**claims(grant["assertion"]), "type": grant["grant_type"], "url": grant["url"]},
            "ours": claims(wanted["assertion"]),
            "understood": [
                created.envelope_id,
                view.url,
                status.status,
                [one.client_user_id for one in status.recipients.signers],
                [one.envelope_id for one in found.envelopes],
                len(document),
                info.account_name,
            ],
        }
    )
)
