-- Whether the person of an address chose the language of the portal, rather than the browser: then it also counts before
-- what a sender says about a recipient of documents (aureum/commands/portal/languages.py).
ALTER TABLE portal_sign_ins ADD COLUMN language_chosen boolean NOT NULL DEFAULT false;
ALTER TABLE portal_languages ADD COLUMN chosen boolean NOT NULL DEFAULT false;
