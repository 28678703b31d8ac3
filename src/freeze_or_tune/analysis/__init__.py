"""From experiments to tables and figures."""
