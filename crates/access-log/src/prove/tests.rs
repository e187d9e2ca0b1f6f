use rand_core::Rng as _;

use super::*;
use crate::{
    ProofError,
    fixture::{Tree, leaf, leaves, mth, random, split as half},
    verify_consistency, verify_inclusion,
};

/// PATH of RFC 6962, section 2.1.1, word for word.
fn path(index: usize, leaves: &[TreeHash]) -> Vec<TreeHash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let k = half(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut below, sibling) = match index < k {
        true => (path(index, left), mth(right)),
        false => (path(index - k, right), mth(left)),
    };
    below.push(sibling);
    below
}

/// SUBPROOF of RFC 6962, section 2.1.2, word for word.
fn subproof(old: usize, leaves: &[TreeHash], is_known: bool) -> Vec<TreeHash> {
    if old == leaves.len() {
        return if is_known { Vec::new() } else { vec![mth(leaves)] };
    }
    let k = half(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut below, sibling) = match old <= k {
        true => (subproof(old, left, is_known), mth(right)),
        false => (subproof(old - k, right, false), mth(left)),
    };
    below.push(sibling);
    below
}

#[test]
fn every_proof_of_small_trees_is_that_of_the_definition_and_verifies() {
    for size in 1..=130_u64 {
        let (tree, leaves) = (Tree::new(size), leaves(size));
        let root = tree.edge.root();
        for index in 0..size {
            let proof = prove_inclusion(index, size, |id| tree.fetch(id)).unwrap();
            assert_eq!(proof, path(index as usize, &leaves), "{index} of {size}");
            assert_eq!(verify_inclusion(leaf(index), index, size, root, &proof), Ok(()));
        }
        for old in 1..=size {
            let proof = prove_consistency(old, size, |id| tree.fetch(id)).unwrap();
            assert_eq!(proof, subproof(old as usize, &leaves, true), "{old} of {size}");
            assert_eq!(verify_consistency(old, mth(&leaves[..old as usize]), size, root, &proof), Ok(()));
        }
    }
}

#[test]
fn proofs_of_large_trees_verify_and_fetch_what_was_foreseen() {
    let mut random = random(1);
    for size in [255, 256, 257, 511, 513, 65_535, 65_536, 65_537, 70_000] {
        let (tree, leaves) = (Tree::new(size), leaves(size));
        let root = tree.edge.root();
        for _ in 0..20 {
            let index = random.next_u64() % size;
            let mut fetched = BTreeSet::new();
            let proof = prove_inclusion(index, size, |id| {
                fetched.insert(id);
                tree.fetch(id)
            });
            assert_eq!(fetched, inclusion_tiles(index, size));
            assert_eq!(
                verify_inclusion(leaf(index), index, size, root, &proof.unwrap()),
                Ok(()),
                "{index} of {size}"
            );
            let old = index + 1;
            let proof = prove_consistency(old, size, |id| {
                assert!(consistency_tiles(old, size).contains(&id));
                tree.fetch(id)
            });
            let old_root = mth(&leaves[..old as usize]);
            assert_eq!(
                verify_consistency(old, old_root, size, root, &proof.unwrap()),
                Ok(()),
                "{old} of {size}"
            );
        }
    }
}

/// Every proof that differs in one bit, one hash or one place from a good one.
fn spoilt(proof: &[TreeHash]) -> Vec<Vec<TreeHash>> {
    let mut found = Vec::new();
    for at in 0..proof.len() {
        for bit in 0..256 {
            let mut flipped = proof.to_vec();
            flipped[at].0[bit / 8] ^= 1 << (bit % 8);
            found.push(flipped);
        }
        let mut removed = proof.to_vec();
        removed.remove(at);
        found.push(removed);
        let mut doubled = proof.to_vec();
        doubled.insert(at, proof[at]);
        found.push(doubled);
        if at > 0 {
            let mut swapped = proof.to_vec();
            swapped.swap(at - 1, at);
            found.push(swapped);
        }
    }
    found.push([proof, &[TreeHash::EMPTY]].concat());
    found
}

#[test]
fn no_other_proof_verifies() {
    for size in 1..=20_u64 {
        let (tree, leaves) = (Tree::new(size), leaves(size));
        let root = tree.edge.root();
        for index in 0..size {
            let proof = prove_inclusion(index, size, |id| tree.fetch(id)).unwrap();
            for wrong in spoilt(&proof) {
                assert!(
                    verify_inclusion(leaf(index), index, size, root, &wrong).is_err(),
                    "{index} of {size}"
                );
            }
            for other in (0..size + 2).filter(|other| *other != index) {
                assert!(
                    verify_inclusion(leaf(index), other, size, root, &proof).is_err(),
                    "{other} for {index}"
                );
            }
            assert!(verify_inclusion(leaf(index + 1), index, size, root, &proof).is_err());
        }
        for old in 1..size {
            let proof = prove_consistency(old, size, |id| tree.fetch(id)).unwrap();
            let old_root = mth(&leaves[..old as usize]);
            let holds =
                |old_root, root, proof: &[TreeHash]| verify_consistency(old, old_root, size, root, proof);
            for wrong in spoilt(&proof) {
                assert!(holds(old_root, root, &wrong).is_err(), "{old} of {size}");
            }
            // The root of a perfect old tree begins the way to the new root.
            let expected = if old.is_power_of_two() { ProofError::Root } else { ProofError::OldRoot };
            assert_eq!(holds(leaf(99), root, &proof), Err(expected));
            assert_eq!(holds(old_root, leaf(99), &proof), Err(ProofError::Root));
        }
    }
}

/// A tree whose proofs end early, at its right edge, says how large it is; the same hashes prove nothing of another size whose
/// proof takes another way.
#[test]
fn what_lies_outside_of_a_tree_is_refused_by_name() {
    let tree = Tree::new(5);
    let root = tree.edge.root();
    let size = 5;
    assert_eq!(prove_inclusion(5, 5, |id| tree.fetch(id)), Err(TileError::Beyond { wanted: 5, size }));
    assert_eq!(prove_consistency(6, 5, |id| tree.fetch(id)), Err(TileError::Beyond { wanted: 6, size }));
    assert_eq!(verify_inclusion(leaf(5), 5, 5, root, &[]), Err(ProofError::Beyond { index: 5, size }));
    assert_eq!(verify_consistency(6, root, 5, root, &[]), Err(ProofError::Shrunk { old_size: 6, size }));
    assert_eq!(verify_consistency(0, TreeHash::EMPTY, 5, root, &[]), Ok(()));
    assert_eq!(verify_consistency(0, root, 5, root, &[]), Err(ProofError::OldRoot));
    assert_eq!(verify_consistency(0, TreeHash::EMPTY, 5, root, &[root]), Err(ProofError::Long));
    assert_eq!(verify_consistency(5, root, 5, root, &[]), Ok(()));
    assert_eq!(verify_consistency(5, root, 5, leaf(0), &[]), Err(ProofError::OldRoot));
    assert_eq!(verify_consistency(5, root, 5, root, &[root]), Err(ProofError::Long));
    assert_eq!(verify_consistency(3, root, 5, root, &[]), Err(ProofError::Short));
    assert_eq!(verify_inclusion(leaf(0), 0, 5, root, &[]), Err(ProofError::Short));
    assert_eq!(verify_inclusion(leaf(0), 0, 1, leaf(0), &[]), Ok(()));
    assert!(inclusion_tiles(5, 5).is_empty() && consistency_tiles(6, 5).is_empty());
    let gone = prove_inclusion(0, 5, Err::<Vec<u8>, _>);
    let tile = TileId::at(TileLevel::Hashes(0), 0, 5).unwrap();
    assert_eq!(gone, Err(TileError::Fetch { tile, cause: tile }));
}

/// The eight leaves that implementations of Certificate Transparency test with, and the roots and proofs that they publish.
#[test]
fn the_known_tree_has_the_known_roots_and_proofs() {
    let entries =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let hashes: Vec<TreeHash> =
        entries.iter().map(|entry| TreeHash::of_leaf(&hex::decode(entry).unwrap())).collect();
    let known = |text: &str| TreeHash(hex::decode(text).unwrap().try_into().unwrap());
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    for (size, expected) in (1..).zip(roots) {
        assert_eq!(Frontier::over(&hashes[..size]).root(), known(expected), "{size}");
    }
    let inclusion = [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    let proof: Vec<TreeHash> = inclusion.iter().map(|hash| known(hash)).collect();
    assert_eq!(verify_inclusion(hashes[5], 5, 8, known(roots[7]), &proof), Ok(()));
    let consistency = [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    let proof: Vec<TreeHash> = consistency.iter().map(|hash| known(hash)).collect();
    assert_eq!(verify_consistency(6, known(roots[5]), 8, known(roots[7]), &proof), Ok(()));
}
