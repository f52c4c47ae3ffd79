"""The OpenAPI document, made of the endpoints' declarations; the reference and the error pages made of the same."""
