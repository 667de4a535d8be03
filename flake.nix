{
  description = "Fatura, serverless billing on AWS Lambda and DynamoDB";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      functions = [ "api" "auth" "charge-consumer" "webhook-intake" "webhook-consumer" "retry-sweep" "event-relay" "notifier" ];
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      forEach = systems: make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});

      # One function as Lambda wants it: a folder with the file `bootstrap`. Built for the system it is built on, so
      # `nix build .#packages.aarch64-linux.api` is what an arm64 deployment takes.
      functionPackage = pkgs: name: pkgs.rustPlatform.buildRustPackage {
        pname = name;
        version = "0.1.0";
        src = self;
        cargoLock.lockFile = ./Cargo.lock;
        # Alone: several at once would unify their features.
        cargoBuildFlags = [ "--package" name "--bin" name ];
        # aws-lc is C and assembly.
        nativeBuildInputs = [ pkgs.cmake pkgs.perl ];
        env.AWS_LC_SYS_NO_JITTER_ENTROPY = "1";
        # `make test` does that, with the whole workspace.
        doCheck = false;
        installPhase = ''
          runHook preInstall
          install -D --mode 755 "target/$(rustc -vV | sed -n 's/host: //p')/release/${name}" $out/bootstrap
          runHook postInstall
        '';
      };
    in
    {
      packages = forEach [ "x86_64-linux" "aarch64-linux" ]
        (pkgs: nixpkgs.lib.genAttrs functions (functionPackage pkgs));

      # The Python tools are pinned in localstack/ and installed by `make`.
      devShells = forEach systems (pkgs: {
        default = pkgs.mkShell {
          packages = [
            pkgs.cargo
            pkgs.cargo-deny
            pkgs.clippy
            pkgs.cmake
            pkgs.gnumake
            pkgs.perl
            pkgs.procps
            pkgs.python311
            pkgs.rust-analyzer
            pkgs.rustc
            pkgs.rustfmt
          ];
        };
      });
    };
}
