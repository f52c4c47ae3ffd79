"""What the worker does with envelopes: it completes those that all have signed, and ``docusign`` has others signed with
a brokerage's DocuSign account."""
