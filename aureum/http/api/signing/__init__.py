"""How a brokerage has envelopes signed: the certificate of the seal, the connection to DocuSign, DocuSign's calls."""
