-- Whether an import routes the leads whose rows name no agent.
ALTER TABLE imports ADD COLUMN routed boolean NOT NULL DEFAULT false;
