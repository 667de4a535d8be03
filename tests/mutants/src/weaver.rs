//! Puts mutants into a tree. Inner expressions come first, as the places of outer ones don't change by that.

use crate::mutant::{Genre, Mutants, Replacement};
use proc_macro2::Literal;
use quote::ToTokens;
use std::collections::BTreeSet;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Arm, BinOp, Block, Expr, ExprBinary, ExprStruct, ExprUnary, ImplItemConst, ImplItemFn, ItemConst, ItemFn,
    ItemImpl, ItemStatic, Pat, ReturnType, Signature, Stmt, Type, parse_quote, parse_str,
};

pub(crate) struct Weaver<'a> {
    mutants: &'a Mutants,
    /// Functions that stay as they are.
    constant: &'a BTreeSet<String>,
    woven: BTreeSet<usize>,
    /// Whose functions these are.
    owner: String,
    /// Of each match around, whether it has an arm for everything else.
    covered: Vec<bool>,
}

impl<'a> Weaver<'a> {
    pub(crate) fn weave(
        mutants: &'a Mutants,
        constant: &'a BTreeSet<String>,
        file: &mut syn::File,
    ) -> BTreeSet<usize> {
        let mut weaver =
            Self { mutants, constant, woven: BTreeSet::new(), owner: String::new(), covered: Vec::new() };
        weaver.visit_file_mut(file);
        weaver.woven
    }

    fn at(&self, genre: Genre, node: &impl Spanned) -> Vec<Replacement> {
        self.mutants.at(genre, node.span().start())
    }

    fn fields_of(&self, structure: &ExprStruct) -> Vec<(usize, Replacement)> {
        let fields = structure.fields.iter().enumerate();
        let mutants = fields.map(|(place, field)| (place, self.at(Genre::StructField, field)));
        mutants.flat_map(|(place, mutants)| mutants.into_iter().map(move |mutant| (place, mutant))).collect()
    }

    /// The expression, and instead of it the mutant's where that is on.
    fn switched(&mut self, mutant: &Replacement, instead: &Expr, otherwise: &Expr) -> Expr {
        self.woven.insert(mutant.id);
        let is_on = switch(mutant.id);
        parse_quote!(if #is_on { #instead } else { #otherwise })
    }

    fn function(&mut self, signature: &mut Signature, body: &mut Block) {
        if self.constant.contains(&format!("{}::{}", self.owner, signature.ident)) {
            return;
        }
        let known = self.woven.len();
        let values = body.stmts.first().map(|first| self.at(Genre::FnValue, first)).unwrap_or_default();
        visit_mut::visit_block_mut(self, body);
        if !is_opaque(&signature.output) {
            for mutant in values {
                let Ok(value) = parse_str::<Expr>(&mutant.text) else { continue };
                let is_on = switch(mutant.id);
                let instead: Stmt = parse_quote!(if #is_on { return #value; });
                body.stmts.insert(0, instead);
                self.woven.insert(mutant.id);
            }
        }
        if self.woven.len() > known {
            signature.constness = None;
        }
    }

    fn binary(&mut self, mutants: &[Replacement], binary: &ExprBinary) -> Option<Expr> {
        if has_let(&binary.left) || has_let(&binary.right) {
            return None;
        }
        // What stands left of a long chain would be there twice for each of its links.
        let is_logical = matches!(binary.op, BinOp::And(_) | BinOp::Or(_));
        let mut plain = binary.clone();
        if is_logical {
            plain.left = parse_quote!(left_of_it);
        }
        let (left, right) = (&plain.left, &plain.right);
        let mut switched = Expr::Binary(plain.clone());
        for mutant in mutants {
            let operator: BinOp = parse_str(&mutant.text).ok()?;
            switched = self.switched(mutant, &parse_quote!((#left) #operator (#right)), &switched);
        }
        let all = &binary.left;
        Some(if is_logical {
            parse_quote!((match (#all) { left_of_it => #switched }))
        } else {
            parse_quote!((#switched))
        })
    }

    fn unary(&mut self, mutants: &[Replacement], unary: &ExprUnary) -> Expr {
        let mut switched = Expr::Unary(unary.clone());
        for mutant in mutants {
            switched = self.switched(mutant, &unary.expr, &switched);
        }
        parse_quote!((#switched))
    }

    fn structure(&mut self, mutants: &[(usize, Replacement)], structure: &ExprStruct) -> Expr {
        let mut switched = Expr::Struct(structure.clone());
        for (without, mutant) in mutants {
            let kept = structure.fields.iter().enumerate().filter(|(place, _)| place != without);
            let mut fields: Punctuated<_, _> = kept.map(|(_, field)| field.clone()).collect();
            if !fields.is_empty() {
                fields.push_punct(syn::token::Comma::default());
            }
            let less = Expr::Struct(ExprStruct { fields, ..structure.clone() });
            switched = self.switched(mutant, &less, &switched);
        }
        parse_quote!((#switched))
    }
}

impl VisitMut for Weaver<'_> {
    // A switch is no constant.
    fn visit_item_const_mut(&mut self, _: &mut ItemConst) {}
    fn visit_impl_item_const_mut(&mut self, _: &mut ImplItemConst) {}
    fn visit_item_static_mut(&mut self, _: &mut ItemStatic) {}
    fn visit_type_mut(&mut self, _: &mut Type) {}

    fn visit_item_impl_mut(&mut self, item: &mut ItemImpl) {
        let owner = item.self_ty.to_token_stream().to_string();
        let owner = owner.split(['<', ' ']).next().unwrap_or_default().to_owned();
        let around = std::mem::replace(&mut self.owner, owner);
        visit_mut::visit_item_impl_mut(self, item);
        self.owner = around;
    }

    fn visit_item_fn_mut(&mut self, item: &mut ItemFn) {
        self.function(&mut item.sig, &mut item.block);
    }

    fn visit_impl_item_fn_mut(&mut self, item: &mut ImplItemFn) {
        self.function(&mut item.sig, &mut item.block);
    }

    fn visit_arm_mut(&mut self, arm: &mut Arm) {
        let is_covered = self.covered.last().copied().unwrap_or_default();
        let removed = if is_covered { self.at(Genre::MatchArm, arm) } else { Vec::new() };
        let guards = arm.guard.as_ref().map(|(_, guard)| self.at(Genre::MatchArmGuard, guard));
        visit_mut::visit_arm_mut(self, arm);
        if let Some((_, guard)) = &mut arm.guard
            && !has_let(guard)
        {
            for mutant in guards.unwrap_or_default() {
                let Ok(instead) = parse_str::<Expr>(&mutant.text) else { continue };
                let switched = self.switched(&mutant, &instead, guard);
                **guard = parse_quote!((#switched));
            }
        }
        for mutant in removed {
            let is_on = switch(mutant.id);
            let guard: Expr = match &arm.guard {
                Some((_, guard)) if has_let(guard) => continue,
                Some((_, guard)) => parse_quote!(!#is_on && (#guard)),
                None => parse_quote!(!#is_on),
            };
            arm.guard = Some((syn::token::If::default(), Box::new(guard)));
            self.woven.insert(mutant.id);
        }
    }

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        // What is here has to be known before anything below it changes.
        let here = match &*expression {
            Expr::Binary(binary) => self.at(Genre::BinaryOperator, &binary.op),
            Expr::Unary(unary) => self.at(Genre::UnaryOperator, &unary.op),
            _ => Vec::new(),
        };
        let fields = match &*expression {
            Expr::Struct(structure) => self.fields_of(structure),
            _ => Vec::new(),
        };
        if let Expr::Match(matched) = &*expression {
            let takes_all = |arm: &Arm| arm.guard.is_none() && matches!(arm.pat, Pat::Wild(_));
            self.covered.push(matched.arms.iter().any(takes_all));
            visit_mut::visit_expr_mut(self, expression);
            self.covered.pop();
            return;
        }
        visit_mut::visit_expr_mut(self, expression);
        let woven = match &*expression {
            Expr::Binary(binary) if !here.is_empty() => self.binary(&here, binary),
            Expr::Unary(unary) if !here.is_empty() => Some(self.unary(&here, unary)),
            Expr::Struct(structure) if !fields.is_empty() => Some(self.structure(&fields, structure)),
            _ => None,
        };
        if let Some(woven) = woven {
            *expression = woven;
        }
    }
}

fn switch(id: usize) -> Expr {
    let id = Literal::usize_unsuffixed(id);
    parse_quote!(crate::switch::is_on(#id))
}

/// Whoever returns one thing may not return another, if nobody may know which.
fn is_opaque(output: &ReturnType) -> bool {
    matches!(output, ReturnType::Type(_, of) if matches!(**of, Type::ImplTrait(_)))
}

/// A condition that binds a name is no expression of its own.
fn has_let(condition: &Expr) -> bool {
    match condition {
        Expr::Let(_) => true,
        Expr::Paren(inner) => has_let(&inner.expr),
        Expr::Binary(both) => has_let(&both.left) || has_let(&both.right),
        _ => false,
    }
}
