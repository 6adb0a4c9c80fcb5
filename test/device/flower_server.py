"""Flower's own server, as the original project runs it: FedAvg, plain configuration, no word of Fedfleet's.

--port; --hold: lets clients join and asks them for nothing. Prints one JSON line: the losses of the rounds.
"""

import argparse
import json
import sys

import flwr


class Patient(flwr.server.strategy.FedAvg):
    """Waits for a client that will never come."""

    def initialize_parameters(self, client_manager):
        client_manager.wait_for(99, timeout=86400)
        return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--batch-size", default="100")
    parser.add_argument("--hold", action="store_true")
    args = parser.parse_args()

    def fit_config(server_round):
        # the original sends texts
        return {
            "epoch_global": str(server_round),
            "epochs": "1",
            "batch_size": args.batch_size,
            "num_workers": "2",
            "pin_memory": "False",
            "lr": "0.05",
            "optimizer": "SGD",
        }

    strategy = (Patient if args.hold else flwr.server.strategy.FedAvg)(
        min_fit_clients=1, min_evaluate_clients=1, min_available_clients=1, on_fit_config_fn=fit_config
    )
    history = flwr.server.start_server(
        server_address=f"127.0.0.1:{args.port}",
        config=flwr.server.ServerConfig(num_rounds=args.rounds, round_timeout=60),
        strategy=strategy,
    )
    print(json.dumps({"losses": history.losses_distributed}))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
