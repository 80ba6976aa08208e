"""What scenarios are made of: a throw-away PKI, real servers, the agent, hostile peers, load, and waiting for conditions."""
