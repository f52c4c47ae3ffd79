"""Bytes in, values out, and back: headers, bodies, field types, validation, and every refusal with its code.

Knows nothing of who calls or what the request is for. The lowest room of ``http``.
"""
