"""Envelopes that a brokerage's own DocuSign account sends, by six of DocuSign's calls and the calls of its Connect.

    account.py   whom a call is made for, and where: the brokerage's keys, DocuSign's servers
    grant.py     the signed claim that a token is given for
    failures.py  what may go wrong with a call, as data
    tokens.py    one token an account, kept until shortly before its end
    http.py      one call: time limits, sizes, what its failure means; connections only to DocuSign's own servers
    calls.py     the calls: create, recipient view, status, void, download, account
    request.py   an envelope as DocuSign wants it: documents, recipients, fields
    status.py    what DocuSign says of an envelope and its recipients
    connect.py   Connect's calls: whether they are genuine, and what they say

There is no SDK here: it takes 34 MB and 57 MB of memory for these calls. The tests compare every request with the
SDK's own and with the official schema.
"""
