"""What the notebook offers, in MCP words: tools, resources, prompts, completions. Pure: functions in, descriptions out."""
