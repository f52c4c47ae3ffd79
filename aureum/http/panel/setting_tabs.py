"""The tabs of the settings, and of a user's own account: pages about the same, one beside the other."""

Tab = tuple[str, str, None]
"""Address and word; none of them has a number."""

ACCOUNT: tuple[Tab, ...] = (
    ("/admin/account", "You", None),
    ("/admin/account/sessions", "Sessions", None),
    ("/admin/account/two-step", "Two-step login", None),
)

SETTINGS: tuple[Tab, ...] = (
    ("/admin/settings", "Brokerage", None),
    ("/admin/settings/domains", "Domains", None),
    ("/admin/users", "Users", None),
    ("/admin/settings/form", "Contact form", None),
    ("/admin/settings/api-keys", "API keys", None),
    ("/admin/settings/signing", "Signing", None),
    ("/admin/settings/plan", "Plan", None),
    ("/admin/settings/security", "Security log", None),
)
