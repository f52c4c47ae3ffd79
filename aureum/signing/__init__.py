"""How envelopes are signed: what the worker does between the last signature and the completed envelope, and
``docusign``, by which a brokerage's DocuSign account does it instead."""
